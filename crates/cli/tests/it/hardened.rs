//! The tutorial's second scene, where the gateway adds its own token, behind what the tutorial says must
//! guard it: addresses, passwords, certificates of clients, each alone, every two, and all three.

use std::fs;

use crate::terminals::Terminals;
use crate::words::{quietly, said, shell};

/// The server, the application, and certificates: of the gateway, of a client, of a stranger.
const BEHIND: &str = r#"
export DSN=memory STRATEGIES_ACCESS_TOKEN=jwt URLS_SELF_ISSUER=http://127.0.0.1:4444 SERVE_ADMIN_HOST=127.0.0.1
hydra serve all --dev 2> hydra.log & whoami --port 3000 2> whoami.log &
becomes 200 http://127.0.0.1:4445/health/ready; becomes 200 http://127.0.0.1:3000/health
export CLIENT_SECRET=gateway-secret CLIENT_ID=$(register gateway-secret)
subject() { carnet token decode "$(bearer)" 2> /dev/null | jq -r .claims.sub; }
for name in client stranger; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name \
    -addext basicConstraints=critical,CA:FALSE -keyout $name.key -out $name.pem 2> openssl.log
done
mkdir dynamic
"#;

const INSTALL: &str = "
entryPoints:
  websecure: {address: '127.0.0.1:443', http: {tls: {}}}
providers:
  file: {directory: dynamic, watch: true}
";

const GUARDS: &str = r#"
  middlewares:
    lan: {ipAllowList: {sourceRange: [127.0.0.1]}}
    people: {basicAuth: {users: ['alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='], removeHeader: true}}
    oauth2-creds:
      plugin:
        oAuthClientCredentials:
          url: http://127.0.0.1:4444/oauth2/token
          audience: https://traefik.io
          clientID: '{{ env "CLIENT_ID" }}'
          clientSecret: '{{ env "CLIENT_SECRET" }}'
          usernameClaim: sub
  services:
    whoami: {loadBalancer: {servers: [{url: 'http://127.0.0.1:3000'}]}}
tls:
  options:
    clients:
      clientAuth: {caFiles: [client.pem], clientAuthType: RequireAndVerifyClientCert}
"#;

/// A guard: what somebody shows who may pass it, what others try, and what they get.
struct Guard {
    name: &'static str,
    shown: &'static str,
    tried: &'static [&'static str],
    answer: &'static str,
}

const GUARDED_BY: [Guard; 3] = [
    Guard {
        name: "lan",
        shown: "",
        tried: &[
            "--interface 127.0.0.2",
            "--interface 127.0.0.2 -H 'X-Forwarded-For: 127.0.0.1'",
            "--interface 127.0.0.2 -H 'X_Forwarded_For: 127.0.0.1' -H 'X.Real.Ip: 127.0.0.1'",
            "--interface 127.0.0.2 -H 'Forwarded: for=127.0.0.1' -H 'X-Real-Ip: 127.0.0.1'",
        ],
        answer: "403",
    },
    Guard {
        name: "people",
        shown: "-u alice:secret",
        tried: &[
            "",
            "-u alice:guess",
            "-u nobody:secret",
            "-u alice:secret -H 'Authorization: Bearer x'",
            "-H 'Proxy-Authorization: Basic YWxpY2U6c2VjcmV0' -H 'X_Authorization: Basic YWxpY2U6c2VjcmV0'",
        ],
        answer: "401",
    },
    Guard {
        name: "clients",
        shown: "--cert client.pem --key client.key",
        tried: &[
            "",
            "--cert stranger.pem --key stranger.key",
            "-H 'X-Forwarded-Tls-Client-Cert: a' -H 'X-Forwarded-Tls-Client-Cert-Info: Subject=\"CN=client\"'",
        ],
        // There is no answer: the handshake ends.
        answer: "000",
    },
];

// Holds HI-01, HI-10, HI-12, HI-13, MT-05.
#[test]
fn each_guard_every_two_and_all_three_stand_before_the_gateways_own_token() {
    let mut shell = shell();
    quietly(&mut shell, BEHIND);
    let sets: Vec<Vec<&Guard>> = (1..8_u8)
        .map(|set: u8| {
            (0..GUARDED_BY.len())
                .filter(|bit| (set >> bit) & 1 == 1)
                .map(|bit| &GUARDED_BY[bit])
                .collect()
        })
        .collect();
    fs::write(shell.folder().join("install.yaml"), INSTALL).unwrap();
    fs::write(shell.folder().join("dynamic/routes.yaml"), routes(&sets)).unwrap();
    let passes = format!("-k https://{}.localhost", host(&sets[0]));
    quietly(
        &mut shell,
        &format!(
            "carnet gateway --configfile=install.yaml > access.log 2> err.log & becomes 200 {passes}"
        ),
    );
    for guards in &sets {
        let url = format!("https://{}.localhost/", host(guards));
        let shown: Vec<&str> = guards.iter().map(|guard| guard.shown).collect();
        let all = shown.join(" ");
        let passed = format!(
            "[ $(status -k {all} {url}) = 200 ] && [ $(subject) = $CLIENT_ID ] && echo passed"
        );
        assert_eq!(said(&mut shell, &passed), "passed", "{url}");
        assert_eq!(
            said(&mut shell, "grep -ci '^authorization:' body.txt"),
            "1",
            "{url}"
        );
        for (at, guard) in guards.iter().enumerate() {
            let others = shown.iter().enumerate().filter(|(other, _)| *other != at);
            let others: Vec<&str> = others.map(|(_, shown)| *shown).collect();
            for tried in guard.tried {
                let flags = format!("{} {tried}", others.join(" "));
                assert_eq!(
                    refused(&mut shell, &flags, &url),
                    guard.answer,
                    "{url} {tried}"
                );
            }
        }
    }
}

/// The status of an answer that the application did not give.
fn refused(shell: &mut Terminals, flags: &str, url: &str) -> String {
    let command =
        format!("rm -f body.txt; status -k {flags} {url} 2> curl.log; ! grep -s Hostname body.txt");
    said(shell, &command)
}

fn host(guards: &[&Guard]) -> String {
    let names: Vec<&str> = guards.iter().map(|guard| guard.name).collect();
    names.join("-")
}

fn routes(sets: &[Vec<&Guard>]) -> String {
    let mut routes = "http:\n  routers:\n".to_owned();
    for guards in sets {
        let middlewares = guards
            .iter()
            .map(|guard| guard.name)
            .filter(|name| *name != "clients");
        let middlewares: Vec<&str> = middlewares.chain(["oauth2-creds"]).collect();
        let tls = match guards.iter().any(|guard| guard.name == "clients") {
            true => "{options: clients}",
            false => "{}",
        };
        let (host, middlewares) = (host(guards), middlewares.join(", "));
        routes += &format!(
            "    {host}:\n      rule: Host(`{host}.localhost`)\n      service: whoami\n      \
             middlewares: [{middlewares}]\n      tls: {tls}\n"
        );
    }
    routes + GUARDS
}
