//! A gateway that has no secret: the token of its service account is what it shows to the
//! authorization server, which believes the cluster.

use std::fs;

use carnet_jose::{Algorithm, PrivateKey, RsaBits, jws};
use serde_json::{Value, json};

use crate::terminals::Terminals;
use crate::words::{quietly, said, shell};

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

const START: &str = r#"
cat > config.yaml <<END
dsn: memory
strategies: {access_token: jwt}
serve: {admin: {host: 127.0.0.1}}
urls: {self: {issuer: 'http://127.0.0.1:4444'}}
oauth2:
  client_assertion:
    issuers:
      - issuer: https://kubernetes.default.svc.cluster.local
        jwks_file: keys.json
        clients: [{subject: 'system:serviceaccount:apps:*', client_id: gateway}]
END
hydra serve all --dev -c config.yaml 2> hydra.log & whoami --port 3000 2> whoami.log &
becomes 200 http://127.0.0.1:4445/health/ready; becomes 200 http://127.0.0.1:3000/health
hydra create oauth2-client --endpoint http://127.0.0.1:4445 --id gateway --grant-type client_credentials --audience https://traefik.io --token-endpoint-auth-method private_key_jwt > client.txt
mkdir dynamic; cat > dynamic/routes.yaml <<END
http:
  services:
    whoami: {loadBalancer: {servers: [{url: 'http://127.0.0.1:3000'}]}}
  routers:
    whoami: {rule: Host(\`whoami.docker.localhost\`), service: whoami, middlewares: [workload]}
  middlewares:
    workload:
      plugin:
        oAuthClientCredentials:
          url: http://127.0.0.1:4444/oauth2/token
          audience: https://traefik.io
          clientID: gateway
          clientAssertion: {token: 'urn:file:$PWD/token'}
          forwardHeaders: {Sub: sub}
END
carnet gateway --entryPoints.web.address=:80 --providers.file.directory=dynamic > out.log 2> err.log &
asking="http://127.0.0.1:4444/oauth2/token -d grant_type=client_credentials -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# ask FILE: the status of the token endpoint for the token in a file.
ask() { status $asking --data-urlencode "client_assertion@$1"; }
"#;

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Rs256, RsaBits::B2048, "k").unwrap()
}

/// What the API server publishes.
fn keys(key: &PrivateKey) -> String {
    json!({"keys": [key.public_jwk().to_object()]}).to_string()
}

/// A token of a service account, with some claims of its own.
fn token(key: &PrivateKey, now: i64, changes: &Value) -> String {
    let mut claims = json!({"iss": ISSUER, "sub": "system:serviceaccount:apps:gateway",
        "aud": ["http://127.0.0.1:4444"], "iat": now, "nbf": now, "exp": now + 3600});
    let members = changes.as_object().unwrap().clone();
    claims.as_object_mut().unwrap().extend(members);
    let header = r#"{"alg":"RS256","kid":"k"}"#;
    jws::sign_compact(key, header, claims.to_string().as_bytes()).unwrap()
}

fn write(shell: &Terminals, name: &str, text: &str) {
    fs::write(shell.folder().join(name), text).unwrap();
}

#[test]
fn the_token_of_a_service_account_brings_the_gateway_its_own_token() {
    let mut shell = shell();
    let (own, foreign) = (key(), key());
    let now = said(&mut shell, "date +%s").parse().unwrap();
    write(&shell, "keys.json", &keys(&own));
    write(&shell, "token", &token(&own, now, &json!({})));
    for (name, key, changes) in [
        ("foreign", &foreign, json!({})),
        ("ended", &own, json!({"iat": now - 7200, "exp": now - 3600})),
        (
            "other",
            &own,
            json!({"sub": "system:serviceaccount:ci:gateway"}),
        ),
        ("elsewhere", &own, json!({"aud": [ISSUER]})),
    ] {
        write(&shell, name, &token(key, now, &changes));
    }
    quietly(&mut shell, START);
    quietly(&mut shell, "becomes 200 http://whoami.docker.localhost");
    let seen = "grep -c '^Sub: gateway' body.txt; carnet token decode \"$(bearer)\" 2> /dev/null | jq -r .claims.client_id";
    assert_eq!(said(&mut shell, seen), "1\ngateway");
    assert_eq!(said(&mut shell, "ask token"), "200");
    for name in ["foreign", "ended", "other", "elsewhere"] {
        assert_eq!(said(&mut shell, &format!("ask {name}")), "401", "{name}");
    }
    let told = "says hydra.log 'this workload is no client here.*system:serviceaccount:ci:gateway'";
    quietly(&mut shell, told);

    // The cluster has new keys: they are read as soon as the file is there.
    write(&shell, "next.json", &keys(&foreign));
    let changed =
        "mv next.json keys.json; becomes 200 $asking --data-urlencode client_assertion@foreign";
    quietly(&mut shell, changed);
    assert_eq!(said(&mut shell, "ask token"), "401");
    assert_eq!(said(&mut shell, "grep -c panicked hydra.log"), "0");
}
