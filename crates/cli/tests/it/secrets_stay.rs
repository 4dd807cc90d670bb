//! Both scenes and their failures with the most talkative logs: no secret and no token is in any of
//! them.

use std::fs;

use crate::words::{quietly, said, shell};

/// A wrong secret of a caller is as secret as a right one: it may be the right one of elsewhere.
const SECRETS: [&str; 6] = [
    "canary-of-the-system",
    "canary-of-the-caller",
    "canary-of-the-gateway",
    "canary-wrong-of-the-caller",
    "canary-wrong-of-the-gateway",
    "canary-in-a-query",
];

const START: &str = r#"
export DSN=sqlite://$PWD/hydra.sqlite STRATEGIES_ACCESS_TOKEN=jwt URLS_SELF_ISSUER=http://127.0.0.1:4444 LOG_LEVEL=trace
export SECRETS_SYSTEM=canary-of-the-system LOG_LEAK_SENSITIVE_VALUES=false
hydra migrate sql -ey > migrate.log 2>&1
hydra serve all --dev > hydra.log 2>&1 & whoami --port 3000 --verbose > whoami.log 2>&1 &
becomes 200 http://127.0.0.1:4445/health/ready; becomes 200 http://127.0.0.1:3000/health
caller=$(register canary-of-the-caller --token-endpoint-auth-method client_secret_post)
export CLIENT_SECRET=canary-of-the-gateway CLIENT_ID=$(register canary-of-the-gateway)
carnet gateway --configfile=gateway.yaml > gateway.log 2>&1 & gateway=$!
becomes 200 http://a.localhost/open
"#;

const GATEWAY: &str = "
entryPoints: {web: {address: ':80'}}
log: {level: TRACE, filePath: log.log}
accessLog: {filePath: access.log, format: json, fields: {headers: {defaultMode: keep}}}
ping: {}
providers: {file: {filename: routes.yaml}}
";

const ROUTES: &str = r#"
http:
  services:
    whoami: {loadBalancer: {servers: [{url: 'http://127.0.0.1:3000'}]}}
  routers:
    open: {rule: Path(`/open`), service: whoami}
    caller: {rule: Path(`/caller`), service: whoami, middlewares: [caller]}
    gateway: {rule: Path(`/gateway`), service: whoami, middlewares: [gateway]}
    refused: {rule: Path(`/refused`), service: whoami, middlewares: [refused]}
    down: {rule: Path(`/down`), service: whoami, middlewares: [down]}
    garbage: {rule: Path(`/garbage`), service: whoami, middlewares: [garbage]}
    claims: {rule: Path(`/claims`), service: whoami, middlewares: [claims]}
    broken: {rule: Path(`/broken`), service: whoami, middlewares: [broken]}
  middlewares:
    caller: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:4444/oauth2/token', audience: 'https://traefik.io', usernameClaim: sub, forwardHeaders: {Sub: sub}}}}
    gateway: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:4444/oauth2/token', audience: 'https://traefik.io', clientId: '{{ env "CLIENT_ID" }}', clientSecret: '{{ env "CLIENT_SECRET" }}'}}}
    refused: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:4444/oauth2/token', clientId: '{{ env "CLIENT_ID" }}', clientSecret: canary-wrong-of-the-gateway}}}
    down: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:9/token', clientId: nobody, clientSecret: canary-of-the-gateway}}}
    garbage: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:3000/token', clientId: nobody, clientSecret: canary-of-the-gateway}}}
    claims: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:4444/oauth2/token', audience: 'https://traefik.io', claims: 'Equals(`sub`, `nobody`)', clientId: '{{ env "CLIENT_ID" }}', clientSecret: '{{ env "CLIENT_SECRET" }}'}}}
    broken: {plugin: {oAuthClientCredentials: {url: 'http://127.0.0.1:4444/oauth2/token', clientSecret: canary-of-the-gateway}}}
"#;

/// Calls through the gateway: path, credentials, and the status of the answer.
const CALLS: [(&str, &str, &str); 11] = [
    ("caller", "-u $caller:canary-of-the-caller", "200"),
    ("gateway", "", "200"),
    ("caller", "-u $caller:canary-wrong-of-the-caller", "401"),
    ("caller", "-u nobody:canary-of-the-caller", "401"),
    (
        "caller",
        "-H 'Authorization: Basic canary-of-the-caller'",
        "401",
    ),
    ("refused", "", "502"),
    ("down", "", "503"),
    ("garbage", "", "502"),
    ("claims", "", "403"),
    ("broken", "", "503"),
    ("nowhere", "-u $caller:canary-of-the-caller", "404"),
];

/// What the authorization server refuses.
const REFUSED: [&str; 6] = [
    "token -u $caller:canary-wrong-of-the-caller -d grant_type=client_credentials",
    "token -d grant_type=client_credentials -d client_id=$caller -d client_secret=canary-wrong-of-the-caller",
    "token?client_secret=canary-in-a-query -d client_id=$caller -d grant_type=client_credentials",
    "token -u $CLIENT_ID:$CLIENT_SECRET -d grant_type=nothing",
    "token -u $CLIENT_ID:$CLIENT_SECRET -d grant_type=client_credentials -d scope=unknown",
    "revoke -u $CLIENT_ID:canary-wrong-of-the-caller -d token=$(head -1 tokens.txt)",
];

/// Commands, some of which fail.
const COMMANDS: [&str; 4] = [
    "hydra perform client-credentials --endpoint http://127.0.0.1:4444 --client-id $caller --client-secret canary-wrong-of-the-caller",
    "hydra list clients --endpoint http://127.0.0.1:4445 --format json",
    "hydra introspect token --endpoint http://127.0.0.1:4445 $(head -1 tokens.txt)",
    "carnet validate gateway.yaml routes.yaml",
];

// Holds SE-01, SE-05, TE-07.
#[test]
fn no_log_and_no_answer_holds_a_secret_or_a_token() {
    let mut shell = shell();
    fs::write(shell.folder().join("gateway.yaml"), GATEWAY).unwrap();
    fs::write(shell.folder().join("routes.yaml"), ROUTES).unwrap();
    quietly(&mut shell, START);
    quietly(&mut shell, "touch tokens.txt answers.log");
    for (path, credentials, status) in CALLS {
        let ask = format!("status {credentials} 'http://a.localhost/{path}'");
        assert_eq!(said(&mut shell, &ask), status, "{path} {credentials}");
        // The application is who shall see the token; nobody else's answer is let off.
        let keep = if status == "200" {
            "bearer >> tokens.txt"
        } else {
            "cat body.txt >> answers.log"
        };
        quietly(&mut shell, keep);
    }
    for asked in REFUSED {
        let ask = format!("curl -sS http://127.0.0.1:4444/oauth2/{asked} >> answers.log");
        quietly(&mut shell, &ask);
    }
    for line in COMMANDS {
        quietly(&mut shell, &format!("{line} >> commands.log 2>&1"));
    }
    quietly(&mut shell, "kill $gateway; wait $gateway");
    let failures = "grep -c 'request failed' log.log";
    assert_ne!(said(&mut shell, failures), "0");
    let logs =
        "migrate.log hydra.log whoami.log gateway.log log.log access.log answers.log commands.log";
    assert_eq!(said(&mut shell, "grep -c . tokens.txt"), "2");
    let lines = "grep -v '\"RequestPath\":\"/open' access.log | grep -c '\"ClientUsername\"'";
    assert_eq!(said(&mut shell, lines), "11");
    for secret in SECRETS {
        let found = format!("grep -H -e '{secret}' {logs}");
        let found = said(&mut shell, &found);
        assert_eq!(found, "", "{secret}");
    }
    let tokens =
        format!("cut -d. -f3 tokens.txt > signatures.txt; grep -H -F -f signatures.txt {logs}");
    assert_eq!(said(&mut shell, &tokens), "");
    let file = "cat hydra.sqlite hydra.sqlite-wal | grep -c -a -e canary -F -f signatures.txt";
    assert_eq!(said(&mut shell, file), "0");
}

const UP: &str = r#"
sed -i 's/for-the-demo-only-never-elsewhere/canary-of-the-system/' live/authorization-server.yaml
carnet up -f live --log.level=TRACE --accesslog.filepath=access.log > lines.log 2> up.log &
becomes 200 http://127.0.0.1:4445/health/ready
caller=$(register canary-of-the-caller --token-endpoint-auth-method client_secret_post)
gateway=$(register canary-of-the-gateway)
# secret TEXT: the Secret of the gateway's client.
secret() { echo "{apiVersion: v1, kind: Secret, metadata: {name: gateway-client, namespace: apps}, $1" > next; mv next live/secret.yaml; }
secret "stringData: {client_id: $gateway, client_secret: canary-of-the-gateway}}"
becomes 200 -u $caller:canary-of-the-caller http://whoami.docker.localhost:8000; bearer > tokens.txt
becomes 200 http://whoami-nologin.docker.localhost:8000; bearer >> tokens.txt
becomes 401 -u $caller:canary-wrong-of-the-caller http://whoami.docker.localhost:8000
secret "stringData: {client_id: $gateway, client_secret: canary-wrong-of-the-gateway}}"
becomes 502 http://whoami-nologin.docker.localhost:8000
secret "stringData: {client_id: $gateway, client_secret: [canary-of-the-gateway]}}"
says up.log 'secret.yaml'
secret "data: {client_id: canary-of-the-gateway, client_secret: canary-of-the-gateway}}"
becomes 503 http://whoami-nologin.docker.localhost:8000
secret "stringData: {client_id: $gateway, client_secret: canary-of-the-gateway"
says up.log 'no YAML'
"#;

// Holds SE-05.
#[test]
fn up_tells_of_a_wrong_secret_without_telling_the_secret() {
    let mut shell = shell();
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/manifests");
    quietly(&mut shell, &format!("cp -r {demo} live"));
    quietly(&mut shell, UP);
    assert_eq!(said(&mut shell, "grep -c . tokens.txt"), "2");
    quietly(&mut shell, "cut -d. -f3 tokens.txt > signatures.txt");
    let found = "grep -H -F -e canary -f signatures.txt lines.log up.log access.log";
    assert_eq!(said(&mut shell, found), "");
}
