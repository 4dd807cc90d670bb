//! Clients that authenticate with `private_key_jwt`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use carnet_authserver::{AssertionAudience, store};
use carnet_jose::{Algorithm, PrivateKey, RsaBits, base64url, jws};
use carnet_testkit::{
    Server,
    server::{Answer as Reply, Request},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::server::{Answer, Room, tutorial};

/// What the fixed clock of the tests shows.
const NOW: i64 = 1_795_694_400;

fn key(algorithm: Algorithm, kid: &str) -> PrivateKey {
    PrivateKey::generate(algorithm, RsaBits::B2048, kid).unwrap()
}

fn public(keys: &[&PrivateKey]) -> Value {
    let keys: Vec<_> = keys
        .iter()
        .map(|key| key.public_jwk().to_object())
        .collect();
    json!({"keys": keys})
}

/// A good assertion with some claims of its own; null takes a claim away.
fn claims(client: &str, changes: &Value) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let jti = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
    let mut claims = json!({"iss": client, "sub": client, "jti": jti, "iat": NOW, "exp": NOW + 60,
        "aud": "http://hydra.hydra.svc:4444/oauth2/token"});
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    claims
}

fn signed(key: &PrivateKey, header: &Value, claims: &Value) -> String {
    jws::sign_compact(key, &header.to_string(), claims.to_string().as_bytes()).unwrap()
}

fn assertion(key: &PrivateKey, client: &str, changes: &Value) -> String {
    let header = json!({"alg": key.algorithm().name(), "kid": key.kid()});
    signed(key, &header, &claims(client, changes))
}

/// An assertion without a signature that a key pair made.
fn unsigned(client: &str, alg: &str) -> String {
    let encode = |value: &Value| base64url::encode(value.to_string());
    let header = encode(&json!({"alg": alg, "kid": "k"}));
    let claims = encode(&claims(client, &json!({})));
    let mac = base64url::encode("x".repeat(32));
    format!(
        "{header}.{claims}.{}",
        if alg == "none" { "" } else { &mac }
    )
}

async fn ask(room: &Room, assertion: &str, more: &str) -> Answer {
    let form = format!(
        "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A\
         client-assertion-type%3Ajwt-bearer&client_assertion={assertion}{more}"
    );
    room.post("/oauth2/token", &[], &form).await
}

async fn register(room: &Room, changes: Value) -> String {
    let mut client =
        json!({"token_endpoint_auth_method": "private_key_jwt", "client_secret": null});
    let members = changes.as_object().unwrap().clone();
    client.as_object_mut().unwrap().extend(members);
    room.create(client).await
}

// Holds AS-07, TE-30.
#[tokio::test]
async fn each_algorithm_works_where_it_is_registered_and_nowhere_else() {
    let mut options = tutorial();
    // Each with each are more guesses than honest clients make.
    options.limits.guesses.rate = 0;
    let room = Room::new(options).await;
    let mut clients = Vec::new();
    for algorithm in Algorithm::ALL {
        let key = key(algorithm, "k");
        let client = register(
            &room,
            json!({"jwks": public(&[&key]), "token_endpoint_auth_signing_alg": algorithm.name()}),
        )
        .await;
        clients.push((key, client));
    }
    for (key, client) in &clients {
        let right = ask(&room, &assertion(key, client, &json!({})), "").await;
        assert_eq!(
            right.status,
            StatusCode::OK,
            "{} {}",
            key.algorithm(),
            right.text
        );
        for (other, _) in &clients {
            if other.algorithm() != key.algorithm() {
                let wrong = ask(&room, &assertion(other, client, &json!({})), "").await;
                assert_eq!(
                    wrong.status,
                    StatusCode::UNAUTHORIZED,
                    "{}",
                    other.algorithm()
                );
            }
        }
    }
}

// Holds AS-02, AS-04, AS-07, TE-12, TE-13.
#[tokio::test]
async fn a_bad_assertion_looks_like_a_wrong_secret() {
    let room = Room::new(tutorial()).await;
    room.get("/.well-known/jwks.json").await;
    let (own, other) = (key(Algorithm::Rs256, "k"), key(Algorithm::Rs256, "k"));
    let client = register(&room, json!({"jwks": public(&[&own])})).await;
    let with_secret = room.create(json!({})).await;
    let wrong_secret = room.basic(&with_secret, "wrong", "").await;
    let token = room.token(&with_secret).await;
    let typed = json!({"alg": "RS256", "kid": "k", "typ": "at+jwt"});
    let unknown = json!({"alg": "RS256", "kid": "other"});
    let good = claims(&client, &json!({}));
    for (what, text) in [
        ("another key", assertion(&other, &client, &json!({}))),
        ("unknown client", assertion(&own, "nobody", &json!({}))),
        (
            "a client with a secret",
            assertion(&own, &with_secret, &json!({})),
        ),
        (
            "another issuer",
            assertion(&own, &client, &json!({"iss": "x"})),
        ),
        (
            "another audience",
            assertion(&own, &client, &json!({"aud": "https://evil.example"})),
        ),
        (
            "expired",
            assertion(&own, &client, &json!({"exp": NOW - 60})),
        ),
        (
            "not yet valid",
            assertion(&own, &client, &json!({"nbf": NOW + 120})),
        ),
        (
            "from the future",
            assertion(&own, &client, &json!({"iat": NOW + 120})),
        ),
        (
            "without an end",
            assertion(&own, &client, &json!({"exp": null})),
        ),
        (
            "without a jti",
            assertion(&own, &client, &json!({"jti": null})),
        ),
        (
            "end is a text",
            assertion(&own, &client, &json!({"exp": "soon"})),
        ),
        ("another kind of JWT", signed(&own, &typed, &good)),
        ("unknown kid", signed(&own, &unknown, &good)),
        ("no algorithm", unsigned(&client, "none")),
        ("a symmetric algorithm", unsigned(&client, "HS256")),
        ("an access token", token),
        ("garbage", "a.b.c".to_owned()),
    ] {
        let started = Instant::now();
        let answer = ask(&room, &text, "").await;
        assert_eq!(answer, wrong_secret, "{what}");
        assert!(started.elapsed().as_millis() >= 50, "{what}");
    }
    let elsewhere = ask(
        &room,
        &assertion(&own, &client, &json!({})),
        "&client_id=other",
    )
    .await;
    assert_eq!(elsewhere, wrong_secret);
    let beside = format!("&client_id={client}");
    let right = ask(&room, &assertion(&own, &client, &json!({})), &beside).await;
    assert_eq!(right.status, StatusCode::OK);
}

// Holds AS-03.
#[tokio::test]
async fn the_strict_settings_take_the_issuer_alone_and_one_of_them_no_list() {
    let mut options = tutorial();
    let key = key(Algorithm::Es256, "k");
    let registration = json!({"jwks": public(&[&key]), "token_endpoint_auth_signing_alg": "ES256"});
    let (yes, no) = (StatusCode::OK, StatusCode::UNAUTHORIZED);
    let issuer = "http://hydra.hydra.svc:4444";
    for (audience, endpoint, list) in [
        (AssertionAudience::Endpoint, yes, yes),
        (AssertionAudience::Issuer, no, yes),
        (AssertionAudience::IssuerText, no, no),
    ] {
        options.assertion_audience = audience;
        let room = Room::new(options.clone()).await;
        let client = register(&room, registration.clone()).await;
        for (changes, expected) in [
            (json!({"aud": issuer}), yes),
            (json!({"aud": [issuer]}), list),
            (json!({}), endpoint),
            (json!({"aud": [issuer, "x"]}), endpoint),
        ] {
            let answer = ask(&room, &assertion(&key, &client, &changes), "").await;
            assert_eq!(answer.status, expected, "{audience:?} {changes}");
        }
    }
}

// Holds AS-06.
#[tokio::test]
async fn an_assertion_counts_once_also_at_another_server_of_the_same_store() {
    let room = Room::new(tutorial()).await;
    let other = Room::over(tutorial(), Arc::clone(&room.store)).await;
    let key = key(Algorithm::Es256, "k");
    let registration = json!({"jwks": public(&[&key]), "token_endpoint_auth_signing_alg": "ES256"});
    let client = register(&room, registration.clone()).await;
    let once = assertion(&key, &client, &json!({"jti": "once"}));
    let at_both = [&room, &other];
    let answers = join_all((0..50).map(|at| ask(at_both[at % 2], &once, ""))).await;
    let taken = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK);
    assert_eq!(taken.count(), 1);
    let again = ask(&other, &once, "").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert_eq!(again.json()["error"], "jti_known");

    // What was refused for something else is not used up, and a jti is its client's own.
    let misdirected = assertion(&key, &client, &json!({"jti": "b", "aud": "x"}));
    assert_eq!(
        ask(&room, &misdirected, "").await.status,
        StatusCode::UNAUTHORIZED
    );
    let redirected = assertion(&key, &client, &json!({"jti": "b"}));
    assert_eq!(ask(&room, &redirected, "").await.status, StatusCode::OK);
    let neighbour = register(&room, registration).await;
    let same_jti = assertion(&key, &neighbour, &json!({"jti": "once"}));
    assert_eq!(ask(&room, &same_jti, "").await.status, StatusCode::OK);
}

// Holds AS-06.
#[tokio::test]
async fn an_assertion_that_was_used_is_still_used_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let dsn = format!("sqlite://{}", folder.path().join("db.sqlite").display());
    store::migrate(&dsn).await.unwrap();
    let before = Room::over(tutorial(), store::open(&dsn).await.unwrap()).await;
    let key = key(Algorithm::Es256, "k");
    let registration = json!({"jwks": public(&[&key]), "token_endpoint_auth_signing_alg": "ES256"});
    let client = register(&before, registration).await;
    let once = assertion(&key, &client, &json!({}));
    assert_eq!(ask(&before, &once, "").await.status, StatusCode::OK);
    drop(before);

    let after = Room::over(tutorial(), store::open(&dsn).await.unwrap()).await;
    assert_eq!(ask(&after, &once, "").await.json()["error"], "jti_known");
    let next = assertion(&key, &client, &json!({}));
    assert_eq!(ask(&after, &next, "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_assertion_also_revokes() {
    let room = Room::new(tutorial()).await;
    let key = key(Algorithm::EdDsa, "k");
    let client = register(
        &room,
        json!({"jwks": public(&[&key]), "token_endpoint_auth_signing_alg": "EdDSA"}),
    )
    .await;
    let answer = ask(&room, &assertion(&key, &client, &json!({})), "").await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let form = format!(
        "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\
         &client_assertion={}&token={token}",
        assertion(&key, &client, &json!({}))
    );
    let answer = room.post("/oauth2/revoke", &[], &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(room.introspect(&token).await["active"], false);
}

/// A room, a client whose keys are at a server that answers so, and that server.
async fn published(
    reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Room, String, Server) {
    let server = Server::start(reply).await.unwrap();
    let room = Room::new(tutorial()).await;
    let client = register(
        &room,
        json!({"jwks_uri": server.url("/keys"), "token_endpoint_auth_signing_alg": "ES256"}),
    )
    .await;
    (room, client, server)
}

/// Lets time pass that real connections must not wait for.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

// Holds AS-09.
#[tokio::test]
async fn published_keys_are_fetched_once_and_again_for_an_unknown_name_in_good_time() {
    let (old, new) = (key(Algorithm::Es256, "old"), key(Algorithm::Es256, "new"));
    let sets = [public(&[&old]), public(&[&new])];
    let turn = Arc::new(AtomicU64::new(0));
    let shown = Arc::clone(&turn);
    let (room, client, server) = published(move |_| {
        let at = usize::try_from(shown.load(Ordering::Relaxed)).unwrap();
        Reply::json(200, &sets[at])
    })
    .await;
    let status = async |key: &PrivateKey| {
        let text = assertion(key, &client, &json!({}));
        ask(&room, &text, "").await.status
    };
    let texts: Vec<_> = (0..5)
        .map(|_| assertion(&old, &client, &json!({})))
        .collect();
    for answer in join_all(texts.iter().map(|text| ask(&room, text, ""))).await {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    assert_eq!(server.seen().len(), 1);

    turn.store(1, Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(status(&new).await, StatusCode::UNAUTHORIZED);
        assert_eq!(status(&old).await, StatusCode::OK);
    }
    assert_eq!(server.seen().len(), 1);
    pass(30).await;
    assert_eq!(status(&new).await, StatusCode::OK);
    assert_eq!(status(&old).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.seen().len(), 2);
}

// Holds AS-08.
#[tokio::test]
async fn a_document_that_is_elsewhere_too_long_or_broken_is_no_key() {
    let key = key(Algorithm::Es256, "k");
    let set = public(&[&key]);
    let long = json!({"keys": set["keys"], "more": "x".repeat(64 * 1024)});
    for reply in [
        Reply::text(302, "").with("location", "/other"),
        Reply::json(200, &long),
        Reply::json(500, &set),
        Reply::text(200, "no JSON"),
        Reply::json(200, &json!({"keys": []})),
    ] {
        let other = set.clone();
        let (room, client, server) = published(move |request| match request.target.as_str() {
            "/keys" => reply.clone(),
            _ => Reply::json(200, &other),
        })
        .await;
        let answer = ask(&room, &assertion(&key, &client, &json!({})), "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
        assert_eq!(server.seen().len(), 1);
    }
}
