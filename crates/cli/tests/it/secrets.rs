//! Credentials of the gateway in a Secret (`urn:k8s:secret:`): the newest form of the tutorial, with
//! its three routes, a Secret that appears after the start and one that is rotated.

use std::fs;

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
mkdir -p live bin; carnet link bin > links.txt; export PATH="$PWD/bin:$PATH"; mkfifo lines
cp demo/*.yaml live/; cp routes.yaml live/
carnet up -f live > lines 2> up.log & exec 9< lines
await() { local line; while read -r line <&9; do [ "$line" = "$1" ] && return; done; }
status() { curl -sS -o body.txt -w '%{http_code}\n' "$@"; }
register() { hydra create client --endpoint http://127.0.0.1:4445 --grant-type client_credentials --audience https://traefik.io --secret "$1" --format json; }
secret() {
  printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: gateway-client, namespace: apps}\nstringData: {client_id: "%s", client_secret: "%s"}\n' "$1" "$2" > new.yaml
  mv new.yaml live/secret.yaml
}
subject() { sed -n 's/^Authorization: Bearer \([^\r]*\).*/\1/p' body.txt | xargs carnet token decode 2> notes.txt | jq -r .claims.sub; }
await 'ingressroute.traefik.io/three created'
curl -sS --retry 30 --retry-connrefused --retry-delay 1 --fail -o ready.json http://127.0.0.1:4445/health/ready 2> waiting.log
"#;

#[test]
fn a_secret_that_appears_opens_its_route_and_one_that_is_rotated_takes_its_place() {
    let mut shell = Terminals::open();
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/manifests");
    let folder = shell.folder().join("demo");
    fs::create_dir(&folder).unwrap();
    for name in ["authorization-server.yaml", "whoami.yaml"] {
        fs::copy(format!("{demo}/{name}"), folder.join(name)).unwrap();
    }
    fs::write(shell.folder().join("routes.yaml"), ROUTES).unwrap();
    let printed = shell.enter(SHELL);
    assert!(printed.is_empty(), "{}", printed.join("\n"));
    let mut one = |command: &str| shell.enter(command).join("\n");

    assert_eq!(one("status http://app.localhost:8000/open"), "200");
    assert_eq!(one("status http://app.localhost:8000/caller"), "401");
    assert_eq!(one("status http://app.localhost:8000/gateway"), "503");
    assert_eq!(one("status http://app.localhost:8000/else"), "404");

    assert_eq!(one("first=$(register first-secret | jq -r .client_id)"), "");
    assert_eq!(
        one("status -u \"$first:first-secret\" http://app.localhost:8000/caller"),
        "200",
        "the client is registered for the other method; the gateway tries that too"
    );
    assert_eq!(
        one("secret \"$first\" first-secret; await 'secret/gateway-client created'"),
        ""
    );
    assert_eq!(one("status http://app.localhost:8000/gateway"), "200");
    assert_eq!(one("[ $(subject) = $first ] && echo same"), "same");

    assert_eq!(
        one("second=$(register second-secret | jq -r .client_id)"),
        ""
    );
    assert_eq!(
        one("secret \"$second\" second-secret; await 'secret/gateway-client configured'"),
        ""
    );
    assert_eq!(one("status http://app.localhost:8000/gateway"), "200");
    assert_eq!(one("[ $(subject) = $second ] && echo same"), "same");
    assert_eq!(one("grep -c -e first-secret -e second-secret up.log"), "0");
}
