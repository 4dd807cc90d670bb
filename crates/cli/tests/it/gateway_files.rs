//! `gateway` on configuration files as their users write them: install configuration in TOML, YAML,
//! flags and the environment; routes in a directory that is edited while it is served.

use std::fs;

use crate::terminals::Terminals;
use crate::words::{quietly, said, shell};

/// What stands behind the gateway, with a client of each method.
const BEHIND: &str = r#"
export DSN=memory STRATEGIES_ACCESS_TOKEN=jwt URLS_SELF_ISSUER=http://127.0.0.1:4444 SERVE_ADMIN_HOST=127.0.0.1
hydra serve all --dev 2> hydra.log & whoami --port 3000 2> whoami.log &
becomes 200 http://127.0.0.1:4445/health/ready; becomes 200 http://127.0.0.1:3000/health
caller=$(register caller-secret --token-endpoint-auth-method client_secret_post)
export CLIENT_SECRET=gateway-secret CLIENT_ID=$(register gateway-secret)
subject() { carnet token decode "$(bearer)" 2> /dev/null | jq -r .claims.sub; }
mkdir dynamic
"#;

/// As a package of the gateway ships it, with keys that this gateway does not serve.
const TOML: &str = r#"
[global]
  checkNewVersion = true
  sendAnonymousUsage = true
[hub]
  token = "PASTE_YOUR_TOKEN_HERE"
[entryPoints]
  [entryPoints.web]
    address = ":80"
  [entryPoints.websecure]
    address = ":443"
[log]
  level = "INFO"
  filePath = "gateway.log"
[accessLog]
  filePath = "logs/made/access.log"
[api]
[ping]
[providers.docker]
  endpoint = "unix:///var/run/docker.sock"
  defaultRule = "Host(`{{ normalize .Name }}.docker.localhost`)"
  exposedByDefault = false
[providers.file]
  directory = "dynamic"
  watch = true
"#;

/// As somebody writes it who lists everything.
const YAML: &str = r#"
entryPoints:
  web: {address: ":80"}
  websecure: {address: ":443"}
  traefik: {address: "127.0.0.1:8080"}
log: {level: INFO, filePath: gateway.log}
accessLog: {format: json}
api: {insecure: true, dashboard: true}
ping: {}
metrics:
  prometheus: {addRoutersLabels: true}
providers:
  file: {directory: dynamic, watch: true}
"#;

/// The open route, and a neighbour that nothing may disturb.
const ROUTES: &str = "
http:
  services:
    whoami: {loadBalancer: {servers: [{url: 'http://127.0.0.1:3000'}]}}
  routers:
    neighbour: {rule: Host(`neighbour.localhost`), service: whoami}
    whoami:
      entryPoints: [web]
      rule: Host(`whoami.docker.localhost`)
      service: whoami
";

const CALLER: &str = "
      middlewares: [oauth2-creds]
  middlewares:
    oauth2-creds:
      plugin:
        oAuthClientCredentials:
          url: http://127.0.0.1:4444/oauth2/token
          audience: https://traefik.io
          usernameClaim: sub
          forwardHeaders: {Sub: sub}
";

const GATEWAY: &str = r#"
      middlewares: [oauth2-creds]
  middlewares:
    oauth2-creds:
      plugin:
        oauthclientcredentials:
          url: http://127.0.0.1:4444/oauth2/token
          audience: https://traefik.io
          clientID: '{{ env "CLIENT_ID" }}'
          clientSecret: '{{ env "CLIENT_SECRET" }}'
          usernameClaim: sub
"#;

/// As a package of the gateway ships it: who was told the phrase may pass.
const PHRASE: &str = r#"
      middlewares: [jwtAuth]
  middlewares:
    jwtAuth:
      plugin:
        jwt:
          signingSecret: "A phrase of a team!"
"#;

/// A token that the phrase signed.
const BY_PHRASE: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSJ9.SBuIYFPT6DIYJn8EsCCyK1SrJq9C9VfuP3t3sHKj6Us";

/// Who has a token of the authorization server may pass.
const ISSUED: &str = r#"
      middlewares: [jwtAuth]
  middlewares:
    jwtAuth:
      plugin:
        jwt:
          discovery: http://127.0.0.1:4444/.well-known/openid-configuration
          audience: https://traefik.io
          forwardHeaders: {Sub: sub}
"#;

const WHOAMI: &str = "http://whoami.docker.localhost";
const NEIGHBOUR: &str = "http://neighbour.localhost";

/// What makes the file unreadable, and what is said of it.
const UNREADABLE: [(&str, &str); 3] = [
    ("      middlewares: [", "this is no YAML"),
    ("\nhtpt: {}", "did you mean `http`"),
    ("      priority: {{ env }}", "template: "),
];

/// What closes the router of whoami alone, and what is said of it.
const CLOSED: [(&str, &str); 4] = [
    (
        "      middlewares: [nobody]",
        "`nobody@file` does not exist",
    ),
    ("      midlewares: [a]", "did you mean `middlewares`"),
    (
        "      middlewares: [b]\n  middlewares: {b: {basicAut: {}}}",
        "did you mean `basicAuth`",
    ),
    (
        "      middlewares: [c]\n  middlewares: {c: {plugin: {oAuthClientCredentials: {urll: a}}}}",
        "did you mean `url`",
    ),
];

/// A shell in which everything runs but the gateway; the open route is in its directory.
pub(crate) fn behind() -> Terminals {
    let mut shell = shell();
    quietly(&mut shell, BEHIND);
    fs::write(shell.folder().join("gateway.toml"), TOML).unwrap();
    fs::write(shell.folder().join("gateway.yaml"), YAML).unwrap();
    replace(&shell, "");
    shell
}

/// Replaces the file of the routes in one step; `more` follows on the route of whoami.
fn replace(shell: &Terminals, more: &str) {
    let next = shell.folder().join("next.yaml");
    fs::write(&next, format!("{ROUTES}{more}")).unwrap();
    fs::rename(next, shell.folder().join("dynamic/routes.yaml")).unwrap();
}

fn start(shell: &mut Terminals, command: &str) {
    let command = format!("{command} > out.log 2> err.log & gateway=$!; becomes 200 {WHOAMI}");
    quietly(shell, &command);
}

fn stop(shell: &mut Terminals) {
    assert_eq!(said(shell, "kill $gateway; wait $gateway; echo $?"), "0");
}

fn count(shell: &mut Terminals, text: &str, file: &str) -> String {
    said(shell, &format!("grep -c -e '{text}' {file}"))
}

#[test]
fn a_toml_file_with_keys_of_others_serves_the_three_steps_of_a_directory() {
    let mut shell = behind();
    start(&mut shell, "carnet gateway --configFile=gateway.toml");
    for key in ["global", "hub", "docker"] {
        assert_eq!(
            count(&mut shell, &format!("warning: .*`{key}`"), "err.log"),
            "1",
            "{key}"
        );
    }
    assert_eq!(count(&mut shell, "", "err.log"), "3");
    assert_eq!(count(&mut shell, "Authorization", "body.txt"), "0");

    replace(&shell, CALLER);
    quietly(&mut shell, &format!("becomes 401 {WHOAMI}"));
    let call = format!("status -u \"$caller:caller-secret\" {WHOAMI}");
    assert_eq!(said(&mut shell, &call), "200");
    assert_eq!(
        said(&mut shell, "[ $(subject) = $caller ] && echo same"),
        "same"
    );
    assert_eq!(count(&mut shell, "^Sub: ", "body.txt"), "1");
    assert_eq!(count(&mut shell, "Basic", "body.txt"), "0");

    replace(&shell, GATEWAY);
    quietly(&mut shell, &format!("becomes 200 {WHOAMI}"));
    assert_eq!(
        said(&mut shell, "[ $(subject) = $CLIENT_ID ] && echo same"),
        "same"
    );
    stop(&mut shell);
    let names = "grep -c -e \" - $caller \\[.* 200 \" logs/made/access.log; grep -c -e \" - $CLIENT_ID \\[.* 200 \" logs/made/access.log";
    assert_eq!(said(&mut shell, names), "1\n1");
}

#[test]
fn a_yaml_file_is_the_same_and_health_is_asked_with_it() {
    let mut shell = behind();
    replace(&shell, GATEWAY);
    start(&mut shell, "carnet gateway --configfile gateway.yaml");
    assert_eq!(
        said(&mut shell, "[ $(subject) = $CLIENT_ID ] && echo same"),
        "same"
    );
    for path in ["ping", "livez", "readyz", "metrics", "api/overview"] {
        let ask = format!("status http://127.0.0.1:8080/{path}");
        assert_eq!(said(&mut shell, &ask), "200", "{path}");
    }
    assert_eq!(said(&mut shell, "status http://127.0.0.1/ping"), "404");
    for (flags, path) in [("", "ping"), ("--ready", "readyz")] {
        let ask =
            format!("carnet healthcheck --configfile=gateway.yaml {flags} 2> err.log; echo $?");
        let wanted = format!("OK: http://127.0.0.1:8080/{path}\n0");
        assert_eq!(said(&mut shell, &ask), wanted);
    }
    stop(&mut shell);
    let ask = "carnet healthcheck --configfile=gateway.yaml 2> err.log; echo $?; grep -c 'is the gateway running' err.log";
    assert_eq!(said(&mut shell, ask), "1\n1");
    let names = "jq -r 'select(.DownstreamStatus == 200) | select(.ClientUsername == env.CLIENT_ID) | .RouterName' out.log";
    assert_eq!(said(&mut shell, names), "whoami@file");
}

#[test]
fn flags_and_variables_say_the_same_in_any_case() {
    let mut shell = behind();
    start(
        &mut shell,
        "traefik --ENTRYPOINTS.web.Address=:80 --Providers.FILE.filename dynamic/routes.yaml --accesslog --ping",
    );
    assert_eq!(said(&mut shell, "status http://127.0.0.1:8080/ping"), "200");
    stop(&mut shell);
    assert_eq!(count(&mut shell, "\"whoami@file\"", "out.log"), "1");
    start(
        &mut shell,
        "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:80 TRAEFIK_PROVIDERS_FILE_DIRECTORY=dynamic traefik_accesslog=true \
         TRAEFIK_SERVICE_HOST=10.0.0.1 carnet gateway",
    );
    assert_eq!(count(&mut shell, "error", "err.log"), "0");
    stop(&mut shell);
}

// Holds HI-22, CVE-2026-54762.
#[test]
fn an_edit_that_cannot_be_read_keeps_what_was_and_a_broken_router_closes_alone() {
    let mut shell = behind();
    replace(&shell, GATEWAY);
    start(&mut shell, "carnet gateway --configfile=gateway.toml");
    for (broken, finding) in UNREADABLE {
        replace(&shell, broken);
        quietly(
            &mut shell,
            &format!("says gateway.log 'routes.yaml.*{finding}'"),
        );
        assert_eq!(said(&mut shell, &format!("status {WHOAMI}")), "200");
        assert_eq!(
            count(&mut shell, "^Authorization: Bearer", "body.txt"),
            "1",
            "{finding}"
        );
        assert_eq!(
            said(&mut shell, "status http://127.0.0.1:8080/readyz"),
            "200"
        );
    }
    for (broken, finding) in CLOSED {
        replace(&shell, broken);
        quietly(
            &mut shell,
            &format!("says gateway.log '{finding}'; becomes 503 {WHOAMI}"),
        );
        assert_eq!(
            said(&mut shell, &format!("status {NEIGHBOUR}")),
            "200",
            "{broken}"
        );
    }
    quietly(&mut shell, "rm dynamic/routes.yaml");
    quietly(&mut shell, &format!("becomes 404 {WHOAMI}"));
    stop(&mut shell);
}

#[test]
fn what_cannot_be_read_at_the_start_holds_readiness_back() {
    let mut shell = behind();
    replace(&shell, "      middlewares: [");
    quietly(
        &mut shell,
        "carnet gateway --configfile=gateway.toml > out.log 2> err.log & gateway=$!
         says gateway.log 'routes.yaml:.*error'; becomes 200 http://127.0.0.1:8080/ping",
    );
    assert_eq!(
        said(&mut shell, "status http://127.0.0.1:8080/readyz"),
        "503"
    );
    assert_eq!(said(&mut shell, &format!("status {WHOAMI}")), "404");
    let ask = "carnet healthcheck --configfile=gateway.toml --ready 2> err.log; echo $?";
    assert_eq!(said(&mut shell, ask), "1");
    replace(&shell, "");
    quietly(
        &mut shell,
        &format!("becomes 200 {WHOAMI}; becomes 200 http://127.0.0.1:8080/readyz"),
    );
    stop(&mut shell);
}

#[test]
fn log_files_that_were_moved_away_are_opened_again() {
    let mut shell = behind();
    start(&mut shell, "carnet gateway --configFile=gateway.toml");
    quietly(&mut shell, "mv logs/made/access.log old.log");
    quietly(&mut shell, "mv gateway.log old-gateway.log");
    assert_eq!(said(&mut shell, &format!("status {WHOAMI}/before")), "200");
    assert_eq!(count(&mut shell, "/before", "old.log"), "1");
    quietly(
        &mut shell,
        "kill -USR1 $gateway; until [ -s gateway.log ]; do :; done",
    );
    assert_eq!(said(&mut shell, &format!("status {WHOAMI}/after")), "200");
    assert_eq!(count(&mut shell, "/after", "logs/made/access.log"), "1");
    assert_eq!(count(&mut shell, "/after", "old.log"), "0");
    assert_eq!(count(&mut shell, "opened again", "gateway.log"), "1");
    stop(&mut shell);
}

#[test]
fn a_directory_with_jwt_lets_signed_tokens_pass_and_nobody_else() {
    let mut shell = behind();
    start(&mut shell, "carnet gateway --configFile=gateway.toml");
    let with = |token: &str| format!("status -H \"Authorization: Bearer {token}\" {WHOAMI}");
    replace(&shell, PHRASE);
    quietly(&mut shell, &format!("becomes 401 {WHOAMI}"));
    assert_eq!(said(&mut shell, &with(BY_PHRASE)), "200");
    assert_eq!(count(&mut shell, "Authorization", "body.txt"), "0");
    assert_eq!(said(&mut shell, &with(&format!("{BY_PHRASE}A"))), "401");

    replace(&shell, ISSUED);
    let issued = "token=$(hydra perform client-credentials --endpoint http://127.0.0.1:4444 --client-id \
                  $CLIENT_ID --client-secret gateway-secret --audience https://traefik.io --format json \
                  | jq -r .access_token)";
    quietly(&mut shell, issued);
    let becomes = format!("becomes 200 -H \"Authorization: Bearer $token\" {WHOAMI}");
    quietly(&mut shell, &becomes);
    assert_eq!(count(&mut shell, "^Sub: ", "body.txt"), "1");
    assert_eq!(said(&mut shell, &with(BY_PHRASE)), "401");
    assert_eq!(said(&mut shell, &format!("status {WHOAMI}")), "401");
    stop(&mut shell);
}
