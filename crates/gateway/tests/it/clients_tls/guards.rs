//! What guards a route whose token is the gateway's own: `ipAllowList`, `basicAuth` and certificates of
//! clients, each alone and every two of them. Whatever a caller forges, no backend sees a token that it
//! may not.

use carnet_testkit::server::Answer;
use carnet_testkit::{Server, token_endpoint};

use super::{Certificate, Clients, Encrypted, Shown};
use crate::stand::Stand;

/// The gateway's own credentials, and what stands in front of them.
const MIDDLEWARES: &str = "
  middlewares:
    here: {ipAllowList: {sourceRange: [127.0.0.1]}}
    elsewhere: {ipAllowList: {sourceRange: [10.0.0.0/8]}}
    told: {ipAllowList: {sourceRange: [10.0.0.0/8], ipStrategy: {depth: 1}}}
    told-but: {ipAllowList: {sourceRange: [10.0.0.0/8], ipStrategy: {excludedIPs: [127.0.0.1]}}}
    people: {basicAuth: {users: ['user:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/'], headerField: X-User}}
    who: {passTLSClientCert: {info: {sans: true}}}
";

/// user:test
const USER: &str = "Authorization: Basic dXNlcjp0ZXN0\r\n";

/// What callers try who may not pass.
const FORGED: [&str; 10] = [
    "",
    "X-Forwarded-For: 10.0.0.1\r\nX-Real-Ip: 10.0.0.1\r\n",
    "X_Forwarded_For: 10.0.0.1\r\nX.Forwarded.For: 10.0.0.1\r\n",
    "Forwarded: for=10.0.0.1\r\n",
    "Client-Ip: 127.0.0.1\r\nTrue-Client-Ip: 127.0.0.1\r\n",
    "X-User: user\r\nX_User: user\r\nX.User: user\r\n",
    "Authorization: Basic dXNlcjp4\r\nAuthorization: Basic dXNlcjp4\r\n",
    "Proxy-Authorization: Basic dXNlcjp0ZXN0\r\n",
    "X-Forwarded-Tls-Client-Cert: a\r\nX-Forwarded-Tls-Client-Cert-Info: SAN%3D%22client.test%22\r\n",
    "X-Forwarded-Uri: /open\r\nX-Original-Url: /open\r\nConnection: Authorization, X-User\r\n",
];

/// A gateway whose route is guarded, and a backend that remembers.
struct Scene {
    stand: Stand,
    backend: Server,
    clients: Clients,
    _provider: Server,
}

impl Scene {
    async fn guarded(guards: &[&str], asks_certificates: bool) -> Self {
        let granted = |_: &_| token_endpoint::granted("CANARY", Some(3600));
        let provider = Server::start(granted).await.unwrap();
        let backend = Server::start(|_| Answer::text(200, "served"))
            .await
            .unwrap();
        let clients = Clients::new();
        let options = match asks_certificates {
            true => clients.yaml("RequireAndVerifyClientCert"),
            false => "{}".to_owned(),
        };
        let yaml = format!(
            "http:\n  routers:\n    r: {{rule: Host(`a.test`), service: s, tls: {{options: m}}, \
             middlewares: [{}, creds]}}\n  services:\n    s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n\
             {MIDDLEWARES}    creds: {{plugin: {{oAuthClientCredentials: {{url: '{}', clientID: a, \
             clientSecret: b}}}}}}\ntls:\n  options:\n    m: {{clientAuth: {options}}}\n  certificates:\n{}",
            guards.join(", "),
            backend.url(""),
            provider.url("/token"),
            Certificate::of(&["a.test"]).yaml(),
        );
        let yaml = yaml.replace("middlewares: [, ", "middlewares: [");
        Self {
            stand: Stand::new(&yaml).await,
            backend,
            clients,
            _provider: provider,
        }
    }

    /// The status; `None`: the handshake was refused.
    async fn status(&self, shown: Shown, fields: &str) -> Option<u16> {
        let mut connection = Encrypted::of(self.stand.address, "a.test", shown)
            .await
            .ok()?;
        let (status, _) = connection.ask("a.test", fields).await.ok()?;
        (status > 0).then_some(status)
    }

    /// Nobody who forges gets anywhere, whatever he has otherwise.
    async fn refuses(&self, shown: impl Fn() -> Shown, fields: &str, status: Option<u16>) {
        for forged in FORGED {
            let answer = self.status(shown(), &format!("{forged}{fields}")).await;
            let is_two = forged.contains("Authorization:") && !fields.is_empty();
            match answer {
                // Which of several credentials counts is nobody's to guess.
                Some(401) if is_two => {}
                answer => assert_eq!(answer, status, "{forged}{fields}"),
            }
        }
        assert_eq!(self.backend.count(), 0);
    }

    /// The one who may pass does, and the backend gets the gateway's token and nothing of the guard.
    async fn admits(&self, shown: Shown, fields: &str) {
        assert_eq!(self.status(shown, fields).await, Some(200));
        let seen = self.backend.seen().pop().unwrap();
        let token = seen.headers.only("authorization");
        assert_eq!(token, Some("Bearer CANARY"));
    }
}

// Holds HI-01, HI-10, HI-13.
#[tokio::test]
async fn each_guard_and_every_two_of_them_stand_before_the_gateways_own_token() {
    let nobody = || None;
    for (guards, mtls) in [
        (&["here"][..], false),
        (&["people"], false),
        (&["who"], true),
        (&["here", "people"], false),
        (&["people", "here"], false),
        (&["here", "who"], true),
        (&["people", "who"], true),
        (&["who", "people"], true),
    ] {
        let wants_user = guards.contains(&"people");
        let scene = Scene::guarded(guards, mtls).await;
        let fields = if wants_user { USER } else { "" };
        if mtls {
            let stranger = Clients::new();
            scene.refuses(nobody, fields, None).await;
            scene.refuses(|| stranger.client(), fields, None).await;
        }
        let shown = || if mtls { scene.clients.client() } else { None };
        if wants_user {
            scene.refuses(shown, "", Some(401)).await;
        }
        scene.admits(shown(), fields).await;
        if guards.contains(&"here") {
            for other in ["elsewhere", "told", "told-but"] {
                let mut others = guards.to_vec();
                others
                    .iter_mut()
                    .filter(|g| **g == "here")
                    .for_each(|g| *g = other);
                let scene = Scene::guarded(&others, mtls).await;
                let shown = || if mtls { scene.clients.client() } else { None };
                scene.refuses(shown, fields, Some(403)).await;
            }
        }
    }
}
