//! Credentials of the gateway in a Secret (`urn:k8s:secret:`): the newest form of the tutorial, with
//! its three routes, a Secret that appears after the start and one that is rotated.

use std::fs;
use std::path::Path;

use crate::seed::seed;
use crate::terminals::Terminals;

const ROUTES: &str = r"
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: caller, namespace: apps}
spec:
  plugin:
    oAuthClientCredentials:
      url: http://hydra.hydra.svc:4444/oauth2/token
      audience: https://traefik.io
      usernameClaim: sub
      forwardHeaders: {Sub: sub}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: gateway, namespace: apps}
spec:
  plugin:
    oAuthClientCredentials:
      url: http://hydra.hydra.svc:4444/oauth2/token
      audience: https://traefik.io
      clientId: urn:k8s:secret:gateway-client:client_id
      clientSecret: urn:k8s:secret:gateway-client:client_secret
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: three, namespace: apps}
spec:
  entryPoints: [web]
  routes:
    - match: Host(`app.localhost`) && Path(`/open`)
      services: [{name: whoami, port: 80}]
    - match: Host(`app.localhost`) && Path(`/caller`)
      services: [{name: whoami, port: 80}]
      middlewares: [{name: caller}]
    - match: Host(`app.localhost`) && Path(`/gateway`)
      services: [{name: whoami, port: 80}]
      middlewares: [{name: gateway}]
";

const SHELL: &str = r#"
mkdir bin; carnet link bin > links.txt; export PATH="$PWD/bin:$PATH"; mkfifo lines
carnet up -f live > lines 2> up.log & exec 9< lines
await() { local line; while read -r line <&9; do [ "$line" = "$1" ] && return; done; }
status() { curl -sS -o body.txt -w '%{http_code}\n' "$@"; }
register() { hydra create client --endpoint http://127.0.0.1:4445 --grant-type client_credentials --audience https://traefik.io --secret "$1" --format json; }
secret() {
  printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: apps}\nstringData: {client_id: "%s", client_secret: "%s"}\n' "$name" "$1" "$2" > new.yaml
  mv new.yaml live/secret.yaml
}
subject() { sed -n 's/^Authorization: Bearer \([^\r]*\).*/\1/p' body.txt | xargs carnet token decode 2> notes.txt | jq -r .claims.sub; }
await "$last created"
curl -sS --retry 30 --retry-connrefused --retry-delay 1 --fail -o ready.json http://127.0.0.1:4445/health/ready 2> waiting.log
"#;

/// Where the three routes are, the Secret that the third one needs, and the object that is applied
/// last.
struct Routes {
    open: &'static str,
    caller: &'static str,
    gateway: &'static str,
    secret: &'static str,
    last: &'static str,
}

#[test]
fn a_secret_that_appears_opens_its_route_and_one_that_is_rotated_takes_its_place() {
    let shell = Terminals::open();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/manifests");
    copy(&demo, &["authorization-server", "whoami"], &shell);
    fs::write(shell.folder().join("live/zz-routes.yaml"), ROUTES).unwrap();
    play(
        shell,
        &Routes {
            open: "app.localhost:8000/open",
            caller: "app.localhost:8000/caller",
            gateway: "app.localhost:8000/gateway",
            secret: "gateway-client",
            last: "ingressroute.traefik.io/three",
        },
    );
}

#[test]
fn the_newest_form_of_the_tutorial_as_given_runs_with_its_secret_supplied_and_rotated() {
    let Some(seed) = seed() else { return };
    let shell = Terminals::open();
    let names = [
        "apps-namespace",
        "hydra",
        "whoami-app",
        "whoami-app-ingressroute",
        "whoami-app-oauth2-client-creds",
        "whoami-app-oauth2-client-creds-nologin",
    ];
    copy(&seed.join("manifests-2024-11"), &names, &shell);
    play(
        shell,
        &Routes {
            open: "secure-applications.apigateway.docker.localhost:8000/no-auth",
            caller: "secure-applications.apigateway.docker.localhost:8000/oauth2-client-credentials",
            gateway: "secure-applications.apigateway.docker.localhost:8000/oauth2-client-credentials-nologin",
            secret: "oauth-client-nologin",
            last: "service/whoami",
        },
    );
}

/// Puts manifests under the eyes of `up`.
fn copy(folder: &Path, names: &[&str], shell: &Terminals) {
    let live = shell.folder().join("live");
    fs::create_dir(&live).unwrap();
    for name in names {
        let file = format!("{name}.yaml");
        fs::copy(folder.join(&file), live.join(&file)).unwrap();
    }
}

fn play(mut shell: Terminals, routes: &Routes) {
    let Routes {
        open,
        caller,
        gateway,
        secret,
        last,
    } = routes;
    let printed = shell.enter(&format!("name={secret}; last={last}\n{SHELL}"));
    assert!(printed.is_empty(), "{}", printed.join("\n"));
    let mut one = |command: &str| shell.enter(command).join("\n");

    assert_eq!(one(&format!("status http://{open}")), "200");
    assert_eq!(one(&format!("status http://{caller}")), "401");
    assert_eq!(one(&format!("status http://{gateway}")), "503");
    assert_eq!(one(&format!("status http://{open}/else")), "404");

    assert_eq!(one("first=$(register first-secret | jq -r .client_id)"), "");
    assert_eq!(
        one(&format!(
            "status -u \"$first:first-secret\" http://{caller}"
        )),
        "200",
        "the client is registered for the other method; the gateway tries that too"
    );
    assert_eq!(one("grep -c \"^Sub: $first\" body.txt"), "1");
    let supplied = format!("secret \"$first\" first-secret; await 'secret/{secret} created'");
    assert_eq!(one(&supplied), "");
    assert_eq!(one(&format!("status http://{gateway}")), "200");
    assert_eq!(one("[ $(subject) = $first ] && echo same"), "same");

    assert_eq!(
        one("second=$(register second-secret | jq -r .client_id)"),
        ""
    );
    let rotated = format!("secret \"$second\" second-secret; await 'secret/{secret} configured'");
    assert_eq!(one(&rotated), "");
    assert_eq!(one(&format!("status http://{gateway}")), "200");
    assert_eq!(one("[ $(subject) = $second ] && echo same"), "same");
    assert_eq!(one("grep -c -e first-secret -e second-secret up.log"), "0");
}
