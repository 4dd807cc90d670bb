//! Clients without a secret: tokens of a cluster or of a SPIFFE trust domain stand for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::http::{Method, StatusCode};
use carnet_authserver::{AssertionIssuer, Endpoint, IssuerKeys, Options, Workload};
use carnet_jose::{Algorithm, PrivateKey, RsaBits, jws};
use carnet_testkit::{
    Server,
    certificates::{FIRST, SECOND},
    server::{Answer as Reply, Request},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::server::{Answer, Room, tutorial};

/// What the fixed clock of the tests shows.
const NOW: i64 = 1_795_694_400;

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const SUBJECT: &str = "system:serviceaccount:apps:gateway";

fn key(kid: &str) -> PrivateKey {
    PrivateKey::generate(Algorithm::Rs256, RsaBits::B2048, kid).unwrap()
}

fn public(keys: &[&PrivateKey]) -> Value {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| key.public_jwk().to_object())
        .collect();
    json!({"keys": keys})
}

/// A token as the API server of a cluster makes it, with some claims of its own; null takes one
/// away.
fn token(key: &PrivateKey, changes: &Value) -> String {
    let mut claims = json!({
        "aud": ["http://hydra.hydra.svc:4444"], "exp": NOW + 3600, "iat": NOW, "nbf": NOW,
        "iss": ISSUER, "jti": "b3c4", "sub": SUBJECT,
        "kubernetes.io": {"namespace": "apps", "serviceaccount": {"name": "gateway", "uid": "u"}},
    });
    let members = claims.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    let header = json!({"alg": "RS256", "kid": key.kid()}).to_string();
    jws::sign_compact(key, &header, claims.to_string().as_bytes()).unwrap()
}

fn endpoint(url: String) -> Endpoint {
    Endpoint {
        url,
        ca: None,
        bearer: None,
    }
}

fn issuer(keys: IssuerKeys) -> AssertionIssuer {
    let workload = |subject: &str, client_id: &str| Workload {
        subject: subject.to_owned(),
        client_id: client_id.to_owned(),
    };
    AssertionIssuer {
        issuer: ISSUER.to_owned(),
        keys,
        audiences: Vec::new(),
        max_lifetime: Duration::from_secs(24 * 3600),
        single_use: false,
        clients: vec![
            workload("system:serviceaccount:apps:gateway", "gateway"),
            workload("system:serviceaccount:ci:*", "ci"),
            workload("system:serviceaccount:ci:*", "deployer"),
        ],
    }
}

fn options(issuers: Vec<AssertionIssuer>) -> Options {
    Options {
        assertion_issuers: issuers,
        ..tutorial()
    }
}

/// A server that believes this platform, with its clients.
async fn room(issuer: AssertionIssuer) -> Room {
    let room = Room::new(options(vec![issuer])).await;
    for id in ["gateway", "ci", "deployer"] {
        let client = json!({"client_id": id, "client_secret": null,
            "token_endpoint_auth_method": "private_key_jwt"});
        room.create(client).await;
    }
    room
}

async fn show(room: &Room, kind: &str, token: &str, more: &str) -> Answer {
    let form = format!(
        "grant_type=client_credentials&audience=https%3A%2F%2Ftraefik.io&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A{kind}&client_assertion={token}{more}"
    );
    room.post("/oauth2/token", &[], &form).await
}

async fn ask(room: &Room, token: &str, more: &str) -> Answer {
    show(room, "jwt-bearer", token, more).await
}

/// A discovery document and a key set, as the API server of a cluster has them.
fn cluster_of(
    scheme: &'static str,
    keys: impl Fn() -> Value + Send + Sync + 'static,
) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request: &Request| {
        let host = request.headers.only("host").unwrap_or_default();
        match request.target.as_str() {
            "/.well-known/openid-configuration" => Reply::json(
                200,
                &json!({"issuer": ISSUER, "jwks_uri": format!("{scheme}://{host}/openid/v1/jwks"),
                    "response_types_supported": ["id_token"]}),
            ),
            "/openid/v1/jwks" => Reply::json(200, &keys()),
            _ => Reply::text(404, ""),
        }
    }
}

async fn cluster(keys: impl Fn() -> Value + Send + Sync + 'static) -> Server {
    Server::start(cluster_of("http", keys)).await.unwrap()
}

fn discovery(server: &Server) -> IssuerKeys {
    IssuerKeys::Discovery(endpoint(server.url("/.well-known/openid-configuration")))
}

/// Lets time pass that real connections must not wait for.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn the_token_of_a_service_account_is_as_good_as_a_secret_until_it_ends() {
    let own = key("k");
    let keys = public(&[&own]);
    let server = cluster(move || keys.clone()).await;
    let room = room(issuer(discovery(&server))).await;
    let shown = token(&own, &json!({}));
    for more in ["", "&client_id=gateway", ""] {
        let answer = ask(&room, &shown, more).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let given = answer.json()["access_token"].as_str().unwrap().to_owned();
        let introspected = room.introspect(&given).await;
        assert_eq!(introspected["client_id"], "gateway");
        assert_eq!(introspected["sub"], "gateway");
    }
    assert_eq!(server.count(), 2, "one discovery document and one key set");
    room.clock.advance(Duration::from_secs(3611));
    let ended = ask(&room, &shown, "").await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ended.json()["error"], "invalid_client");
}

// Holds AS-08.
#[tokio::test]
async fn a_cluster_is_believed_by_the_one_authority_that_was_named_for_it() {
    let own = key("k");
    let shown = token(&own, &json!({}));
    for (trusted, expected) in [
        (Some(FIRST), StatusCode::OK),
        (Some(SECOND), StatusCode::UNAUTHORIZED),
        (None, StatusCode::UNAUTHORIZED),
    ] {
        let keys = public(&[&own]);
        let respond = cluster_of("https", move || keys.clone());
        let server = Server::over_tls(FIRST, respond).await.unwrap();
        let ca = trusted.map(|pair| pair.certificate.to_owned());
        for path in ["/.well-known/openid-configuration", "/openid/v1/jwks"] {
            let at = Endpoint {
                ca: ca.clone(),
                ..endpoint(server.url(path))
            };
            let keys = match path.starts_with("/.well-known") {
                true => IssuerKeys::Discovery(at),
                false => IssuerKeys::Jwks(at),
            };
            let room = room(issuer(keys)).await;
            let answer = ask(&room, &shown, "").await;
            assert_eq!(answer.status, expected, "{trusted:?} {path}");
        }
        // Whoever is not believed is not even asked.
        let asked = if expected == StatusCode::OK { 3 } else { 0 };
        assert_eq!(server.count(), asked);
    }
}

#[tokio::test]
async fn a_pattern_leads_to_the_client_that_the_workload_says_to_be() {
    let own = key("k");
    let given = IssuerKeys::Given(public(&[&own]).to_string());
    let room = room(issuer(given)).await;
    let shown = token(&own, &json!({"sub": "system:serviceaccount:ci:runner"}));
    for (more, client) in [
        ("", Some("ci")),
        ("&client_id=ci", Some("ci")),
        ("&client_id=deployer", Some("deployer")),
        ("&client_id=gateway", None),
        ("&client_id=nobody", None),
    ] {
        let answer = ask(&room, &shown, more).await;
        let Some(client) = client else {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{more}");
            continue;
        };
        let given = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(room.introspect(&given).await["client_id"], client, "{more}");
    }
}

#[tokio::test]
async fn a_foreign_an_ended_and_a_misdirected_token_look_like_a_wrong_secret() {
    let (own, other) = (key("k"), key("k"));
    let given = IssuerKeys::Given(public(&[&own]).to_string());
    let room = room(issuer(given)).await;
    let secret = room.create(json!({})).await;
    let wrong_secret = room.basic(&secret, "wrong", "").await;
    let own_token = room.token(&secret).await;
    for (what, text) in [
        ("another key", token(&other, &json!({}))),
        (
            "another issuer",
            token(&own, &json!({"iss": "https://evil.example"})),
        ),
        (
            "its issuer and a slash",
            token(&own, &json!({"iss": format!("{ISSUER}/")})),
        ),
        ("no issuer", token(&own, &json!({"iss": null}))),
        (
            "another subject",
            token(&own, &json!({"sub": "system:serviceaccount:apps:other"})),
        ),
        (
            "a longer subject",
            token(&own, &json!({"sub": format!("{SUBJECT}x")})),
        ),
        (
            "a client as a subject",
            token(&own, &json!({"sub": "gateway"})),
        ),
        (
            "ended",
            token(&own, &json!({"exp": NOW - 11, "iat": NOW - 3600})),
        ),
        ("without an end", token(&own, &json!({"exp": null}))),
        (
            "of a year",
            token(&own, &json!({"exp": NOW + 365 * 24 * 3600})),
        ),
        ("not begun", token(&own, &json!({"nbf": NOW + 60}))),
        ("for the API server", token(&own, &json!({"aud": [ISSUER]}))),
        ("for nobody", token(&own, &json!({"aud": null}))),
        ("an access token", own_token),
    ] {
        assert_eq!(ask(&room, &text, "").await, wrong_secret, "{what}");
    }
    // The same text as another kind of assertion.
    let shown = show(&room, "jwt-spiffe", &token(&own, &json!({})), "").await;
    assert_eq!(shown, wrong_secret);
}

#[tokio::test]
async fn a_workload_whose_client_has_a_secret_is_nobody() {
    let own = key("k");
    let given = IssuerKeys::Given(public(&[&own]).to_string());
    let room = Room::new(options(vec![issuer(given)])).await;
    room.create(json!({"client_id": "gateway"})).await;
    let answer = ask(&room, &token(&own, &json!({})), "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let with_secret = room.basic("gateway", "traefiklabs", "").await;
    assert_eq!(with_secret.status, StatusCode::OK);
}

// Holds AS-06.
#[tokio::test]
async fn where_the_platform_is_told_so_a_token_counts_once_at_all_servers_of_the_store() {
    let own = key("k");
    let given = IssuerKeys::Given(public(&[&own]).to_string());
    let once = AssertionIssuer {
        single_use: true,
        ..issuer(given)
    };
    let room = room(once.clone()).await;
    let other = Room::over(options(vec![once]), Arc::clone(&room.store)).await;
    let shown = token(&own, &json!({}));
    let at_both = [&room, &other];
    let answers = join_all((0..20).map(|at| ask(at_both[at % 2], &shown, ""))).await;
    let taken = answers.iter().filter(|one| one.status == StatusCode::OK);
    assert_eq!(taken.count(), 1);
    assert_eq!(ask(&other, &shown, "").await.json()["error"], "jti_known");
    let nameless = ask(&room, &token(&own, &json!({"jti": null})), "").await;
    assert_eq!(nameless.json()["error"], "invalid_client");
    let next = ask(&room, &token(&own, &json!({"jti": "next"})), "").await;
    assert_eq!(next.status, StatusCode::OK);
}

// Holds AS-09.
#[tokio::test]
async fn keys_of_a_platform_are_asked_for_again_in_good_time_and_kept_when_none_come() {
    let (old, new) = (key("old"), key("new"));
    let sets = [public(&[&old]), public(&[&new]), json!({"keys": []})];
    let turn = Arc::new(AtomicU64::new(0));
    let shown = Arc::clone(&turn);
    let server = cluster(move || {
        let at = usize::try_from(shown.load(Ordering::Relaxed)).unwrap();
        sets[at].clone()
    })
    .await;
    let room = room(issuer(discovery(&server))).await;
    let status = async |key: &PrivateKey| ask(&room, &token(key, &json!({})), "").await.status;
    assert_eq!(status(&old).await, StatusCode::OK);
    assert_eq!(server.count(), 2);
    turn.store(1, Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(status(&new).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(server.count(), 2);
    pass(30).await;
    assert_eq!(status(&new).await, StatusCode::OK);
    assert_eq!(status(&old).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.count(), 4);

    // An empty set is a failure: what was known stays, for an hour at most.
    turn.store(2, Ordering::Relaxed);
    pass(301).await;
    assert_eq!(status(&new).await, StatusCode::OK);
    assert_eq!(server.count(), 6);
    pass(3300).await;
    assert_eq!(status(&new).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_reload_keeps_the_keys_and_shows_the_new_bearer_where_the_issuer_is() {
    let own = key("k");
    let keys = public(&[&own]);
    let server = Server::start(move |request| match request.headers.only("authorization") {
        Some("Bearer let-me-in") => Reply::json(200, &keys),
        _ => Reply::json(401, &json!({})),
    })
    .await
    .unwrap();
    let at = |bearer: &str| {
        issuer(IssuerKeys::Jwks(Endpoint {
            bearer: Some(bearer.into()),
            ..endpoint(server.url("/keys"))
        }))
    };
    let room = room(at("let-me-in")).await;
    let shown = token(&own, &json!({}));
    assert_eq!(ask(&room, &shown, "").await.status, StatusCode::OK);
    room.server.reload(options(vec![at("old")])).unwrap();
    assert_eq!(ask(&room, &shown, "").await.status, StatusCode::OK);
    assert_eq!(server.count(), 1);
    room.server.reload(options(vec![])).unwrap();
    let distrusted = ask(&room, &shown, "").await;
    assert_eq!(distrusted.status, StatusCode::UNAUTHORIZED);
}

// Holds AS-08.
#[tokio::test]
async fn a_discovery_document_of_another_issuer_or_that_leads_elsewhere_is_not_believed() {
    let own = key("k");
    let keys = public(&[&own]);
    let elsewhere = Server::start(move |_| Reply::json(200, &keys))
        .await
        .unwrap();
    let away = elsewhere.url("/keys");
    for document in [
        json!({"issuer": ISSUER, "jwks_uri": away}),
        json!({"issuer": ISSUER, "jwks_uri": "http://169.254.169.254/keys"}),
        json!({"issuer": "https://evil.example", "jwks_uri": away}),
        json!({"issuer": ISSUER}),
        json!([]),
    ] {
        let told = document.clone();
        let server = Server::start(move |_| Reply::json(200, &told))
            .await
            .unwrap();
        let room = room(issuer(discovery(&server))).await;
        let answer = ask(&room, &token(&own, &json!({})), "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{document}");
        assert_eq!(server.count(), 1);
    }
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn a_jwt_svid_is_the_credential_of_clients_of_its_trust_domain() {
    let own = key("svid");
    let mut bundle = public(&[&own]);
    bundle["keys"][0]["use"] = json!("jwt-svid");
    bundle["spiffe_sequence"] = json!(1);
    let trust_domain = AssertionIssuer {
        issuer: "spiffe://example.org".to_owned(),
        keys: IssuerKeys::Given(bundle.to_string()),
        clients: vec![Workload {
            subject: "spiffe://example.org/ns/apps/sa/*".to_owned(),
            client_id: "gateway".to_owned(),
        }],
        ..issuer(IssuerKeys::Given(String::new()))
    };
    let room = Room::new(options(vec![trust_domain])).await;
    let metadata = room
        .get("/.well-known/oauth-authorization-server")
        .await
        .json();
    let methods = metadata["token_endpoint_auth_methods_supported"].to_string();
    assert!(methods.contains("spiffe_jwt"), "{methods}");
    let client = json!({"client_id": "gateway", "client_secret": null,
        "token_endpoint_auth_method": "spiffe_jwt"});
    room.create(client).await;
    let svid = |subject: &str| {
        let changes = json!({"sub": subject, "iss": null, "jti": null, "kubernetes.io": null});
        token(&own, &changes)
    };
    let right = svid("spiffe://example.org/ns/apps/sa/gateway");
    let answer = show(&room, "jwt-spiffe", &right, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    for (kind, text) in [
        ("jwt-bearer", right),
        (
            "jwt-spiffe",
            svid("spiffe://example.org/ns/other/sa/gateway"),
        ),
        (
            "jwt-spiffe",
            svid("spiffe://example.org.evil/ns/apps/sa/gateway"),
        ),
        ("jwt-spiffe", svid("spiffe://evil.org/ns/apps/sa/gateway")),
        ("jwt-spiffe", svid("spiffe://example.org")),
    ] {
        let answer = show(&room, kind, &text, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{kind} {text}");
    }
}

#[tokio::test]
async fn who_has_no_trust_domain_does_not_offer_its_method_and_names_what_a_client_needs() {
    let room = Room::new(tutorial()).await;
    let metadata = room.get("/.well-known/oauth-authorization-server").await;
    assert!(!metadata.text.contains("spiffe"), "{}", metadata.text);
    let client = json!({"client_id": "gateway", "token_endpoint_auth_method": "private_key_jwt"});
    let answer = room.admin(Method::POST, "/admin/clients", client).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.text.contains("oauth2.client_assertion.issuers"),
        "{}",
        answer.text
    );
}
