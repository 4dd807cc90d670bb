//! `validate`: what is wrong is found before it is served, with its object, file, line and column
//! and the nearest valid word.

use std::fs;
use std::path::Path;

use crate::process::line;

const SOUND: &str = "\
http:
  services:
    whoami: {loadBalancer: {servers: [{url: 'http://127.0.0.1:3000'}]}}
  middlewares:
    creds: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:4444/token', audience: a}}}
  routers:
    whoami:
      rule: Host(`whoami.localhost`)
      service: whoami
      middlewares: [creds]
";

/// What is put in the place of what, where the finding stands, and what it says.
const MISTAKES: [(&str, &str, &str, &[&str]); 12] = [
    ("[creds]", "[creds", "10:20", &["no YAML"]),
    ("http:", "htpt:", "1:1", &["`htpt`", "`http`"]),
    (
        "rule: Host",
        "priority: {{ evn `A` }}\n      rule: Host",
        "8:20",
        &["template", "`evn`", "`env`"],
    ),
    (
        "service: whoami",
        "servcie: whoami",
        "9:7",
        &["router whoami", "`servcie`", "`service`"],
    ),
    ("`)", "`", "8:13", &["router whoami: rule: at character 24"]),
    (
        "Host(",
        "Hots(",
        "8:13",
        &["router whoami: rule", "`Hots`", "`Host`"],
    ),
    (
        "[creds]",
        "[cred]",
        "8:7",
        &[
            "router whoami@file: middlewares",
            "`cred@file`",
            "`creds@file`",
        ],
    ),
    (
        "service: whoami",
        "service: whoamy",
        "8:7",
        &["router whoami@file: service", "`whoami@file`"],
    ),
    (
        "servers:",
        "severs:",
        "3:29",
        &["service whoami", "`severs`", "`servers`"],
    ),
    (
        "audience",
        "audeince",
        "5:",
        &["middleware creds", "`audeince`", "`audience`"],
    ),
    (
        "oAuthClientCredentials",
        "oAuthClientCredential",
        "5:",
        &["`oAuthClientCredentials`"],
    ),
    (
        "4444/token'",
        "4444/token', clientId: a",
        "5:",
        &["middleware creds", "`clientSecret`"],
    ),
];

/// What is put in the place of what in a manifest, and what its finding says.
const OF_MANIFESTS: [(&str, &str, &[&str]); 5] = [
    (
        "audience:",
        "audiense:",
        &["Middleware apps/oauth2-creds", "`audiense`", "`audience`"],
    ),
    (
        "- name: oauth2-creds",
        "- name: oauth2-cred",
        &["IngressRoute apps/whoami", "oauth2-creds"],
    ),
    (
        "- {name: whoami, port: 80}",
        "- {name: whoamy, port: 80}",
        &["`whoami`", "apps/whoamy"],
    ),
    (
        "match: Host",
        "match: Hots",
        &["IngressRoute apps/whoami", "`Hots`", "`Host`"],
    ),
    (
        "audience:",
        "clientId: urn:k8s:secret:absent:id\n      clientSecret: a\n      audience:",
        &["Middleware apps/oauth2-creds", "Secret apps/absent"],
    ),
];

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_mistake_is_told_with_its_place_and_the_nearest_word() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "routes.yaml", SOUND);
    assert_eq!(line("carnet validate").arg(&file).out().await, "");
    for (right, wrong, place, words) in MISTAKES {
        assert!(SOUND.contains(right), "{right}");
        write(folder.path(), "routes.yaml", &SOUND.replace(right, wrong));
        let ended = line("carnet validate").arg(&file).run().await;
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (1, ""),
            "{wrong}: {}",
            ended.err
        );
        let start = format!("{file}:{place}");
        let is_it =
            |line: &&str| line.starts_with(&start) && words.iter().all(|word| line.contains(word));
        let told = ended.err.lines().filter(is_it).count();
        assert_eq!(told, 1, "{wrong}: {start} {words:?}\n{}", ended.err);
    }
}

#[tokio::test]
async fn install_configuration_is_validated_with_what_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let routes = write(
        folder.path(),
        "routes.yaml",
        &SOUND.replace("rule:", "entryPoints: [wbe]\n      rule:"),
    );
    let install = "entryPoints: {web: {address: ':80'}}\nproviders: {file: {directory: d}}\n";
    let sound = write(folder.path(), "sound.yaml", install);
    assert_eq!(line("carnet validate").arg(&sound).out().await, "");
    let both = line("carnet validate").arg(&sound).arg(&routes).run().await;
    assert_eq!((both.code, both.out.as_str()), (1, ""), "{}", both.err);
    assert!(
        both.err.contains("`wbe`") && both.err.contains("web"),
        "{}",
        both.err
    );
    let toml = "[entryPoints.web]\nadress = ':80'\n[providers.fiel]\n";
    let wrong = write(folder.path(), "wrong.toml", toml);
    let ended = line("carnet validate").arg(&wrong).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    for finding in [
        format!("{wrong}:2:1: error: entryPoints.web.adress"),
        format!("{wrong}:3:12: error: providers.fiel"),
    ] {
        assert!(ended.err.contains(&finding), "{finding}: {}", ended.err);
    }
}

#[tokio::test]
async fn manifests_are_validated_as_a_cluster_would_read_them() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo");
    let base = || {
        line("carnet validate")
            .arg(&format!("{demo}/manifests/authorization-server.yaml"))
            .arg(&format!("{demo}/manifests/whoami.yaml"))
    };
    let caller = format!("{demo}/tutorial/2-caller.yaml");
    assert_eq!(base().arg(&caller).out().await, "");
    let sound = fs::read_to_string(&caller).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (right, wrong, words) in OF_MANIFESTS {
        let text = sound.replace(right, wrong);
        let file = write(folder.path(), "caller.yaml", &text);
        let ended = base().arg(&file).run().await;
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (1, ""),
            "{wrong}: {}",
            ended.err
        );
        let start = format!("{file}:");
        let is_it =
            |line: &&str| line.starts_with(&start) && words.iter().all(|word| line.contains(word));
        assert!(
            ended.err.lines().any(|line| is_it(&line)),
            "{wrong}: {}",
            ended.err
        );
    }
}

#[tokio::test]
async fn an_ingress_is_validated_as_it_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let ingress = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app
  annotations: {traefik.ingress.kubernetes.io/router.middleware: guard@file}
spec:
  rules:
  - host: app.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{port: 80}]}
";
    let path = write(folder.path(), "ingress.yaml", ingress);
    let ended = line("carnet validate").arg(&path).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    assert!(
        ended.err.contains("did you mean `middlewares`?"),
        "{}",
        ended.err
    );
}

#[tokio::test]
async fn the_authorization_servers_configuration_is_known_by_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let sound = "log: {level: info}\ndsn: memory\nurls: {self: {issuer: 'https://a.example'}}\n";
    let file = write(folder.path(), "hydra.yml", sound);
    assert_eq!(line("carnet validate").arg(&file).out().await, "");
    let wrong = sound.replace("issuer", "isuser");
    let file = write(folder.path(), "hydra.yml", &wrong);
    let ended = line("carnet validate").arg(&file).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    let finding = format!(
        "{file}:3:15: error: urls.self.isuser: unknown option `isuser`; did you mean `issuer`?"
    );
    assert!(ended.err.contains(&finding), "{}", ended.err);
}

#[tokio::test]
async fn a_directory_is_validated_as_the_file_provider_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = SOUND.split_once("  routers:").unwrap();
    write(folder.path(), "services.yaml", one);
    let routers = format!("http:\n  routers:{other}");
    write(folder.path(), "routers.yml", &routers);
    let name = folder.path().to_str().unwrap();
    assert_eq!(line("carnet validate").arg(name).out().await, "");
    write(
        folder.path(),
        "routers.yml",
        &routers.replace("creds", "cred"),
    );
    let ended = line("carnet validate").arg(name).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    assert!(ended.err.contains("routers.yml:4:7: "), "{}", ended.err);
    assert!(
        ended.err.contains("did you mean `creds@file`?"),
        "{}",
        ended.err
    );
}

#[tokio::test]
async fn who_asks_for_what_is_not_there_is_not_proposed_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = "http: {services: {w: {weighted: {services: [{name: x}]}}}}\n";
    let file = write(folder.path(), "routes.yaml", text);
    let ended = line("carnet validate").arg(&file).run().await;
    assert!(
        ended.err.contains("service `x@file` does not exist\n"),
        "{}",
        ended.err
    );
}
