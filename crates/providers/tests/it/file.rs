use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use carnet_config::install;
use carnet_config::install::providers::FileSource;
use carnet_config::routing::Middleware;
use carnet_providers::Update;
use carnet_providers::file::FileProvider;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

/// A provider of a file or folder.
pub(crate) fn provider(source: FileSource) -> FileProvider {
    let env = BTreeMap::from([("HOST".to_owned(), "from-env.test".to_owned())]);
    let options = install::FileProvider {
        source,
        watch: true,
    };
    FileProvider::new(options, Arc::new(env))
}

/// A provider of a folder.
pub(crate) fn provider_of(folder: &Path) -> FileProvider {
    provider(FileSource::Directory(folder.display().to_string()))
}

/// A document with one router.
pub(crate) fn router(name: &str, host: &str) -> String {
    format!("http:\n  routers:\n    {name}:\n      rule: Host(`{host}`)\n      service: {name}\n")
}

/// The rules of an update, by router.
pub(crate) fn rules(update: &Update) -> BTreeMap<&str, &str> {
    let routers = update.config.routers.iter();
    routers
        .map(|(name, router)| {
            let value = router.value.as_ref().unwrap();
            (name.as_str(), value.rule_text.as_str())
        })
        .collect()
}

/// What is said, without the folder's random name.
fn said(folder: &TempDir, update: &Update) -> Vec<String> {
    let folder = format!("{}/", folder.path().display());
    let findings = update.diagnostics.iter();
    findings
        .map(|finding| finding.to_string().replace(&folder, ""))
        .collect()
}

#[test]
fn a_folder_is_read_with_those_below_it_yaml_and_toml_and_templates() {
    let folder = TempDir::new().unwrap();
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    fs::create_dir(folder.path().join("..2026_data")).unwrap();
    for (name, text) in [
        ("a.yaml", router("a", "a.test")),
        ("b.YML", router("b", "{{ env \"HOST\" }}")),
        (
            "below/c.toml",
            "[http.routers.c]\nrule = \"Host(`c.test`)\"\nservice = \"c\"\n".to_owned(),
        ),
        ("d.txt", "no: [configuration".to_owned()),
        ("..2026_data/e.yaml", router("e", "e.test")),
        (".#f.yaml", "no: [configuration".to_owned()),
        ("empty.yaml", String::new()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let update = provider_of(folder.path()).load();
    let expected = [
        ("a", "Host(`a.test`)"),
        ("b", "Host(`from-env.test`)"),
        ("c", "Host(`c.test`)"),
    ];
    assert_eq!(rules(&update), BTreeMap::from(expected));
    assert_eq!((said(&folder, &update), update.readable), (vec![], true));
}

#[test]
fn a_name_belongs_to_the_first_file_that_has_it() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("1.yaml"), router("a", "first.test")).unwrap();
    fs::write(folder.path().join("2.yaml"), router("a", "second.test")).unwrap();
    let update = provider_of(folder.path()).load();
    assert_eq!(rules(&update)["a"], "Host(`first.test`)");
    let said = said(&folder, &update);
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("2.yaml: warning: router a: "),
        "{said:?}"
    );
    assert!(said[0].contains("1.yaml has one of this name already"));
}

#[test]
fn an_unreadable_file_keeps_what_was_last_read_from_it_and_says_so_once() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, router("a", "a.test")).unwrap();
    let mut provider = provider_of(folder.path());
    let good = provider.load();
    for (broken, expected) in [
        ("http: [", "a.yaml:1:"),
        (
            "http: {}\nhtttp: {}",
            "a.yaml:2:1: error: htttp: unknown option `htttp`",
        ),
        (
            "{{ nothing }}",
            "a.yaml:1:4: error: template: function `nothing` is not known",
        ),
        ("http: {}\n---\nhttp: {}", "a.yaml:3:"),
        ("\n", "a.yaml: error: it is empty now"),
    ] {
        fs::write(&file, broken).unwrap();
        let update = provider.load();
        assert_eq!(update.config, good.config, "{broken}");
        assert!(update.readable && !update.current);
        let said = said(&folder, &update);
        assert!(said[0].starts_with(expected), "{said:?}");
        assert_eq!(provider.load().diagnostics, []);
    }
    fs::write(&file, "http: {}").unwrap();
    let update = provider.load();
    assert!(update.current && rules(&update).is_empty());
}

#[test]
fn a_file_that_cannot_be_read_at_the_start_delays_readiness_until_it_is_read_or_removed() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, "http: [").unwrap();
    fs::write(folder.path().join("b.yaml"), router("b", "b.test")).unwrap();
    let mut provider = provider_of(folder.path());
    let update = provider.load();
    assert!(!update.readable);
    assert_eq!(rules(&update).len(), 1);
    // A later file that cannot be read is an error, not a start that is incomplete.
    fs::write(folder.path().join("c.yaml"), "http: [").unwrap();
    fs::remove_file(&file).unwrap();
    assert!(provider.load().readable);
}

#[test]
fn one_file_alone_must_be_there_and_be_called_so() {
    let folder = TempDir::new().unwrap();
    for (name, expected) in [
        (
            "absent.yaml",
            "absent.yaml: error: cannot be read: No such file",
        ),
        ("a.conf", "a.conf: error: the name ends in none of"),
    ] {
        fs::write(folder.path().join("a.conf"), "{}").unwrap();
        let path = folder.path().join(name).display().to_string();
        let update = provider(FileSource::File(path)).load();
        assert!(!update.readable);
        let said = said(&folder, &update);
        assert!(said[0].starts_with(expected), "{said:?}");
    }
}

// Holds DO-07.
#[test]
fn a_file_of_more_than_eight_mebibytes_is_refused_unread() {
    let folder = TempDir::new().unwrap();
    let file = fs::File::create(folder.path().join("large.yaml")).unwrap();
    file.set_len((8 << 20) + 1).unwrap();
    let update = provider_of(folder.path()).load();
    assert_eq!(
        said(&folder, &update),
        ["large.yaml: error: cannot be read: it is larger than 8 MiB"]
    );
}

/// A document that shows a certificate, whose key lies beside it.
pub(crate) fn certificate(folder: &Path) -> String {
    let folder = folder.display();
    format!("tls: {{certificates: [{{certFile: {folder}/a.crt, keyFile: {folder}/a.key}}]}}\n")
}

/// The texts of the certificates of an update.
pub(crate) fn certificates(update: &Update) -> Vec<(&str, &str)> {
    let certificates = update.config.tls.certificates.iter();
    let served = certificates.filter_map(|certificate| certificate.served());
    served
        .map(|pair| (pair.cert.text().unwrap(), pair.key.text().unwrap()))
        .collect()
}

#[test]
fn certificates_and_keys_are_read_from_their_files_and_missing_ones_close_what_needs_them() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.yaml"), certificate(folder.path())).unwrap();
    let mut provider = provider_of(folder.path());
    let update = provider.load();
    assert_eq!(certificates(&update), []);
    let finding = &update.config.tls.certificates[0].diagnostics[0];
    let said = finding.to_string();
    assert!(
        said.contains("a.crt` cannot be read: No such file"),
        "{said}"
    );
    assert!(
        update.readable,
        "one object of many is broken, not the file"
    );
    fs::write(folder.path().join("a.crt"), "certificate").unwrap();
    fs::write(folder.path().join("a.key"), "key").unwrap();
    let update = provider.load();
    assert_eq!(certificates(&update), [("certificate", "key")]);
    assert!(!format!("{update:?}").contains("\"key\""));
}

/// The gateway's own credentials in an update, or why there are none.
fn credentials(update: &Update) -> Result<(String, String), Vec<String>> {
    let object = &update.config.middlewares["creds"];
    let Some(Middleware::OAuthClientCredentials(options)) = object.served() else {
        let said = object.diagnostics.iter().map(ToString::to_string);
        return Err(said.collect());
    };
    let own = options.credentials.as_ref().unwrap();
    let secret = own.client_secret.expose_secret().to_owned();
    Ok((own.client_id.clone(), secret))
}

// Holds OP-07.
#[test]
fn secrets_that_a_middleware_names_are_read_from_files_and_the_environment() {
    let folder = TempDir::new().unwrap();
    let secret = folder.path().join("client-secret");
    let middleware = format!(
        "http: {{Middlewares: {{creds: {{plugin: {{oAuthClientCredentials: {{url: 'https://as.test/t', \
         clientId: 'urn:env:HOST', clientSecret: 'urn:file:{}'}}}}}}}}}}",
        secret.display()
    );
    fs::write(folder.path().join("a.yaml"), middleware).unwrap();
    let mut provider = provider_of(folder.path());
    let said = credentials(&provider.load()).unwrap_err().join("\n");
    assert!(
        said.contains("plugin.oAuthClientCredentials.clientSecret: `"),
        "{said}"
    );
    assert!(said.contains("cannot be read: No such file"), "{said}");
    for written in ["first\n", "rotated", "with spaces \r\n"] {
        fs::write(&secret, written).unwrap();
        let expected = written.trim_end_matches(['\r', '\n']).to_owned();
        let found = credentials(&provider.load());
        assert_eq!(found, Ok(("from-env.test".to_owned(), expected)));
    }
    for (mode, told) in [(0o644, 1), (0o640, 0), (0o600, 0)] {
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        let said = provider.load().config.diagnostics;
        assert_eq!(said.len(), told, "{mode:o}: {said:?}");
        assert!(said.iter().all(|one| {
            one.to_string()
                .contains("client-secret: warning: everybody")
        }));
    }
    fs::write(&secret, "\n").unwrap();
    let said = credentials(&provider.load()).unwrap_err().join("\n");
    assert!(said.ends_with("client-secret` is empty"), "{said}");
}

#[test]
fn a_variable_that_is_not_set_closes_what_names_it_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let middleware = "http: {middlewares: {creds: {plugin: {oAuthClientCredentials: \
                      {url: 'https://as.test/t', scopes: ['urn:env:HOTS']}}}, \
                      open: {plugin: {oAuthClientCredentials: {url: 'https://as.test/t'}}}}}";
    fs::write(folder.path().join("a.yaml"), middleware).unwrap();
    let update = provider_of(folder.path()).load();
    let said = credentials(&update).unwrap_err().join("\n");
    assert!(
        said.ends_with(
            "creds: plugin.oAuthClientCredentials.scopes[0]: the environment variable `HOTS` is \
             not set; did you mean `HOST`?"
        ),
        "{said}"
    );
    assert!(update.config.middlewares["open"].served().is_some());
}
