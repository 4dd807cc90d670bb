//! Tokens in the place of others (RFC 8693): who may act for whom, and for how much.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_authserver::{AccessTokenStrategy, Options};
use carnet_jose::{Algorithm, PrivateKey, RsaBits, jws};
use serde_json::{Value, json};

use super::{Browser, options, tokens, web};
use crate::server::{Answer, Room, tutorial};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What the fixed clock of the tests shows.
const NOW: i64 = 1_795_694_400;

/// A server with a client whose tokens are exchanged, and one that exchanges them.
async fn room(options: Options) -> Room {
    let room = Room::new(options).await;
    let front = json!({"client_id": "front", "scope": "read write",
        "audience": ["https://orders", "https://billing"]});
    room.create(front).await;
    orders(&room, json!({})).await;
    room
}

async fn orders(room: &Room, changes: Value) {
    let mut client = json!({"client_id": "orders", "grant_types": [GRANT, "client_credentials"],
        "scope": "read admin", "audience": ["https://billing"], "may_act_for": ["front"]});
    let members = changes.as_object().unwrap().clone();
    client.as_object_mut().unwrap().extend(members);
    room.create(client).await;
}

/// A token of the front, for the orders.
async fn shown(room: &Room) -> String {
    let more = "&scope=read+write&audience=https%3A%2F%2Forders";
    let answer = room.basic("front", "traefiklabs", more).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    text(&answer.json(), "access_token")
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_default().to_owned()
}

async fn ask(room: &Room, client: &str, form: &str) -> Answer {
    let form = format!("grant_type={GRANT}{form}");
    room.basic_form(client, &form).await
}

async fn exchange(room: &Room, token: &str, more: &str) -> Answer {
    let form = format!("&subject_token={token}&subject_token_type={ACCESS_TOKEN}{more}");
    ask(room, "orders", &form).await
}

async fn revoke(room: &Room, client: &str, token: &str) {
    let credentials = STANDARD.encode(format!("{client}:traefiklabs"));
    let header = format!("Basic {credentials}");
    let form = format!("token={token}");
    let answer = room
        .post("/oauth2/revoke", &[("authorization", &header)], &form)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

fn claims(token: &str) -> Value {
    let decoded = jws::decode_unverified(token).unwrap();
    serde_json::from_slice(&decoded.payload).unwrap()
}

fn refused(answer: &Answer, error: &str, what: &str) {
    assert_eq!(
        answer.status,
        StatusCode::BAD_REQUEST,
        "{what}: {}",
        answer.text
    );
    assert_eq!(answer.json()["error"], error, "{what}: {}", answer.text);
    assert!(!answer.text.contains("access_token\""), "{what}");
}

fn with(strategy: AccessTokenStrategy) -> Options {
    Options {
        access_token_strategy: strategy,
        ..tutorial()
    }
}

const BOTH: [AccessTokenStrategy; 2] = [AccessTokenStrategy::Jwt, AccessTokenStrategy::Opaque];

// Holds TX-01.
#[tokio::test]
async fn a_token_is_exchanged_for_one_that_says_who_acts_and_is_good_for_no_more() {
    for strategy in BOTH {
        let room = room(with(strategy)).await;
        let subject = shown(&room).await;
        room.clock.advance(Duration::from_secs(600));
        let answer = exchange(&room, &subject, "&audience=https%3A%2F%2Fbilling").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let told = answer.json();
        assert_eq!(told["issued_token_type"], ACCESS_TOKEN);
        assert_eq!(told["token_type"], "bearer");
        assert_eq!(told["expires_in"], 3000, "no longer than the subject token");
        assert_eq!(told["scope"], "read", "what both have");
        assert_eq!(told.get("refresh_token"), None);
        let token = text(&told, "access_token");
        let said = room.introspect(&token).await;
        assert_eq!(said["active"], true, "{said}");
        assert_eq!(
            (&said["sub"], &said["client_id"]),
            (&json!("front"), &json!("orders"))
        );
        assert_eq!(said["aud"], json!(["https://billing"]));
        assert_eq!(said["act"], json!({"sub": "orders"}));
        assert_eq!(said.get("ext"), None, "{said}");
        if strategy == AccessTokenStrategy::Jwt {
            let claims = claims(&token);
            assert_eq!(claims["act"], json!({"sub": "orders"}));
            assert_eq!(claims["exp"], NOW + 3600);
        }
        // Who asks for nothing gets no more than the subject token is for.
        let token = text(&exchange(&room, &subject, "").await.json(), "access_token");
        assert_eq!(
            room.introspect(&token).await["aud"],
            json!(["https://orders"])
        );
    }
}

/// What is asked, and why it is refused. `T` is a good token, `:` begins the name of a type, `A` is the
/// type of access tokens.
const REFUSALS: &str = "
no subject token             |                                                             | invalid_request
no type                      | subject_token=T                                             | invalid_request
a type without a token       | subject_token_type=A                                        | invalid_request
another type                 | subject_token=T&subject_token_type=:saml2                   | invalid_request
a refresh token              | subject_token=T&subject_token_type=:refresh_token           | invalid_request
an id token                  | subject_token=T&subject_token_type=:id_token                | invalid_request
a short name                 | subject_token=T&subject_token_type=access_token             | invalid_request
a twisted token              | subject_token=Tx&subject_token_type=A                       | invalid_request
garbage                      | subject_token=a.b.c&subject_token_type=:jwt                 | invalid_request
two subject tokens           | subject_token=T&subject_token_type=A&subject_token=T        | invalid_request
a wanted refresh token       | subject_token=T&subject_token_type=A&requested_token_type=:refresh_token | invalid_request
an actor's type alone        | subject_token=T&subject_token_type=A&actor_token_type=A     | invalid_request
an actor without a type      | subject_token=T&subject_token_type=A&actor_token=T          | invalid_request
another client's actor token | subject_token=T&subject_token_type=A&actor_token=T&actor_token_type=A | invalid_request
a scope of the client alone  | subject_token=T&subject_token_type=A&scope=admin            | invalid_scope
a scope of the subject alone | subject_token=T&subject_token_type=A&scope=write            | invalid_scope
one of two scopes            | subject_token=T&subject_token_type=A&scope=read+write       | invalid_scope
the subject's audience       | subject_token=T&subject_token_type=A&audience=https://orders | invalid_target
an unknown audience          | subject_token=T&subject_token_type=A&audience=https://evil  | invalid_target
an unknown resource          | subject_token=T&subject_token_type=A&resource=https://evil  | invalid_target
no resource                  | subject_token=T&subject_token_type=A&resource=billing       | invalid_target
";

// Holds TX-01.
#[tokio::test]
async fn each_row_of_the_table_of_refusals() {
    let room = room(tutorial()).await;
    let subject = shown(&room).await;
    let mut count = 0;
    for row in REFUSALS.lines().filter(|row| !row.is_empty()) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let form = cells[1]
            .replace("=T", &format!("={subject}"))
            .replace("=A", &format!("={ACCESS_TOKEN}"))
            .replace("=:", "=urn:ietf:params:oauth:token-type:");
        let answer = ask(&room, "orders", &format!("&{form}")).await;
        refused(&answer, cells[2], cells[0]);
        count += 1;
    }
    assert_eq!(count, 21);
    assert_eq!(exchange(&room, &subject, "").await.status, StatusCode::OK);
}

// Holds TX-01.
#[tokio::test]
async fn who_was_not_told_that_he_may_does_not() {
    let room = room(tutorial()).await;
    let subject = shown(&room).await;
    let access = format!("&subject_token={subject}&subject_token_type={ACCESS_TOKEN}");
    let without = ask(&room, "front", &access).await;
    refused(&without, "unauthorized_client", "no grant");
    room.create(json!({"client_id": "new", "grant_types": [GRANT]}))
        .await;
    let unnamed = ask(&room, "new", &access).await;
    refused(&unnamed, "invalid_request", "nobody by default");
    let public = json!({"client_id": "app", "grant_types": [GRANT], "may_act_for": ["front"],
        "token_endpoint_auth_method": "none"});
    room.create(public).await;
    let form = format!("grant_type={GRANT}&client_id=app{access}");
    let answer = room.post("/oauth2/token", &[], &form).await;
    refused(&answer, "unauthorized_client", "a public client");
    let wrong = format!("grant_type={GRANT}{access}&client_id=orders&client_secret=wrong");
    let answer = room.post("/oauth2/token", &[], &wrong).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    // Its own tokens are not the client's to exchange, either.
    let own = room.basic("orders", "traefiklabs", "").await.json();
    let own = exchange(&room, &text(&own, "access_token"), "").await;
    refused(&own, "invalid_request", "its own token");
}

// Holds TX-01.
#[tokio::test]
async fn a_token_that_has_ended_or_was_revoked_is_not_exchanged() {
    for strategy in BOTH {
        let room = room(with(strategy)).await;
        let (revoked, ended) = (shown(&room).await, shown(&room).await);
        assert_eq!(exchange(&room, &revoked, "").await.status, StatusCode::OK);
        revoke(&room, "front", &revoked).await;
        refused(
            &exchange(&room, &revoked, "").await,
            "invalid_request",
            "revoked",
        );
        room.clock.advance(Duration::from_secs(3600));
        refused(
            &exchange(&room, &ended, "").await,
            "invalid_request",
            "ended",
        );
    }
}

// Holds TX-01.
#[tokio::test]
async fn a_claim_may_act_narrows_who_may_and_widens_nothing() {
    for (may_act, listed, is_granted) in [
        (Value::Null, true, true),
        (Value::Null, false, false),
        (json!({"sub": "orders"}), true, true),
        (json!({"sub": "orders", "client_id": "orders"}), true, true),
        (json!({"sub": "orders"}), false, false),
        (json!({"sub": "billing"}), true, false),
        (
            json!({"sub": "orders", "client_id": "billing"}),
            true,
            false,
        ),
        (
            json!({"sub": "orders", "iss": "https://elsewhere"}),
            true,
            false,
        ),
        (json!({}), true, false),
        (json!("orders"), true, false),
    ] {
        for strategy in BOTH {
            let room = Room::new(with(strategy)).await;
            let claims = match may_act.is_null() {
                true => json!({}),
                false => json!({"may_act": may_act}),
            };
            let front = json!({"client_id": "front", "scope": "read write",
                "audience": ["https://orders"], "access_token_claims": claims});
            room.create(front).await;
            let named = if listed {
                json!(["front"])
            } else {
                json!(["other"])
            };
            orders(&room, json!({"may_act_for": named})).await;
            let answer = exchange(&room, &shown(&room).await, "").await;
            let outcome = answer.status == StatusCode::OK;
            assert_eq!(outcome, is_granted, "{may_act} {listed}: {}", answer.text);
        }
    }
}

// Holds TX-01.
#[tokio::test]
async fn who_acted_before_stays_in_the_chain_and_a_loop_ends() {
    let room = room(tutorial()).await;
    for (id, before) in [("billing", "orders"), ("mail", "billing")] {
        let client = json!({"client_id": id, "grant_types": [GRANT], "scope": "read",
            "audience": ["https://x"], "may_act_for": [before, "mail", "billing"]});
        room.create(client).await;
    }
    let step = async |client: &str, token: &str| {
        let form = format!("&subject_token={token}&subject_token_type={ACCESS_TOKEN}");
        ask(&room, client, &form).await
    };
    let first = exchange(&room, &shown(&room).await, "").await.json();
    let second = step("billing", &text(&first, "access_token")).await.json();
    let third = step("mail", &text(&second, "access_token")).await.json();
    let mut token = text(&third, "access_token");
    let claims = claims(&token);
    assert_eq!(claims["sub"], "front");
    let chain = json!({"sub": "mail", "act": {"sub": "billing", "act": {"sub": "orders"}}});
    assert_eq!(claims["act"], chain);
    for turn in 0..6 {
        let client = ["billing", "mail"][turn % 2];
        let answer = step(client, &token).await;
        if answer.status != StatusCode::OK {
            refused(&answer, "invalid_request", "a loop");
            assert_eq!(turn, 5);
            return;
        }
        token = text(&answer.json(), "access_token");
    }
    panic!("the chain has no end");
}

#[tokio::test]
async fn an_actor_token_of_the_client_says_who_acts_and_how_long() {
    let room = room(tutorial()).await;
    let actor = text(
        &room.basic("orders", "traefiklabs", "").await.json(),
        "access_token",
    );
    room.clock.advance(Duration::from_secs(1800));
    let subject = shown(&room).await;
    let more = format!("&actor_token={actor}&actor_token_type={ACCESS_TOKEN}");
    let answer = exchange(&room, &subject, &more).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(
        answer.json()["expires_in"],
        1800,
        "no longer than the actor"
    );
    let token = text(&answer.json(), "access_token");
    assert_eq!(claims(&token)["act"], json!({"sub": "orders"}));
}

#[tokio::test]
async fn a_jwt_can_be_wanted_where_tokens_are_opaque_and_an_opaque_token_is_no_jwt() {
    let room = room(with(AccessTokenStrategy::Opaque)).await;
    let subject = shown(&room).await;
    let more = format!("&requested_token_type={JWT}");
    let answer = exchange(&room, &subject, &more).await.json();
    assert_eq!(answer["issued_token_type"], JWT);
    let token = text(&answer, "access_token");
    assert_eq!(claims(&token)["sub"], "front");
    assert_eq!(room.introspect(&token).await["active"], true);
    let form = format!("&subject_token={subject}&subject_token_type={JWT}");
    refused(
        &ask(&room, "orders", &form).await,
        "invalid_request",
        "opaque",
    );
}

// Holds TX-01.
#[tokio::test]
async fn what_a_person_consented_to_ends_with_the_consent_and_is_not_the_actors_to_end() {
    for strategy in BOTH {
        let options = Options {
            access_token_strategy: strategy,
            ..options()
        };
        let room = Room::new(options).await;
        let app = web(&room, json!({})).await;
        orders(&room, json!({"may_act_for": [app.as_str()]})).await;
        let given = tokens(&room, &mut Browser::default(), &app).await;
        let subject = text(&given, "access_token");
        let exchanged = async || {
            let answer = exchange(&room, &subject, "").await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            text(&answer.json(), "access_token")
        };
        let (first, second) = (exchanged().await, exchanged().await);
        let said = room.introspect(&first).await;
        assert_eq!(
            (&said["sub"], &said["scope"]),
            (&json!("alice"), &json!("read"))
        );
        assert_eq!(said["act"], json!({"sub": "orders"}));
        assert_eq!(
            said.get("ext"),
            None,
            "the session of the app is not the actor's"
        );

        revoke(&room, "orders", &first).await;
        assert_eq!(room.introspect(&first).await["active"], false);
        assert_eq!(room.introspect(&subject).await["active"], true);
        assert_eq!(room.introspect(&second).await["active"], true);
        revoke(&room, &app, &subject).await;
        assert_eq!(room.introspect(&second).await["active"], false);
        refused(
            &exchange(&room, &subject, "").await,
            "invalid_request",
            "ended",
        );
    }
}

/// An issuer that is trusted, and its key.
struct Trusted(PrivateKey);

impl Trusted {
    async fn by(room: &Room) -> Self {
        let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "ext-1").unwrap();
        let issuer = json!({"issuer": "https://issuer.example", "allow_any_subject": true,
            "scope": ["read"], "jwk": key.public_jwk().to_object(),
            "expires_at": "2100-01-01T00:00:00Z"});
        let path = "/admin/trust/grants/jwt-bearer/issuers";
        let answer = room.admin(Method::POST, path, issuer).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let named = json!({"scope": "read write", "may_act_for": ["https://issuer.example"]});
        orders(room, named).await;
        Self(key)
    }

    fn made(&self, changes: &Value) -> String {
        let mut claims = json!({"iss": "https://issuer.example", "sub": "svc@example",
            "aud": "http://hydra.hydra.svc:4444", "iat": NOW, "exp": NOW + 60});
        let members = changes.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(members);
        let header = r#"{"alg":"ES256","kid":"ext-1"}"#;
        jws::sign_compact(&self.0, header, claims.to_string().as_bytes()).unwrap()
    }
}

async fn as_jwt(room: &Room, client: &str, token: &str, more: &str) -> Answer {
    let form = format!("&subject_token={token}&subject_token_type={JWT}{more}");
    ask(room, client, &form).await
}

// Holds TX-01.
#[tokio::test]
async fn a_jwt_of_a_trusted_issuer_is_a_subject_where_the_client_may_act_for_the_issuer() {
    let room = Room::new(tutorial()).await;
    let trusted = Trusted::by(&room).await;
    let subject = trusted.made(&json!({"act": {"sub": "earlier"}}));
    // It counts until its end: no `jti` is used up.
    for _ in 0..2 {
        let answer = as_jwt(&room, "orders", &subject, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let told = answer.json();
        assert_eq!(told["scope"], "read");
        assert_eq!(told["expires_in"], 60);
        let said = room.introspect(&text(&told, "access_token")).await;
        assert_eq!(said["sub"], "svc@example");
        let chain = json!({"act": {"sub": "earlier"}, "sub": "orders"});
        assert_eq!(said["act"], chain);
    }
    // Of a trusted issuer, but no access token of ours.
    let form = format!("&subject_token={subject}&subject_token_type={ACCESS_TOKEN}");
    let answer = ask(&room, "orders", &form).await;
    refused(&answer, "invalid_request", "not ours");
}

// Holds TX-01.
#[tokio::test]
async fn a_jwt_of_a_trusted_issuer_is_refused_for_what_it_says() {
    let room = Room::new(tutorial()).await;
    let trusted = Trusted::by(&room).await;
    let other = json!({"client_id": "other", "grant_types": [GRANT], "may_act_for": ["x"]});
    room.create(other).await;
    for (what, changes, more, error) in [
        ("ended", json!({"exp": NOW - 1}), "", "invalid_request"),
        ("for another", json!({"aud": "x"}), "", "invalid_request"),
        ("of another", json!({"iss": "x"}), "", "invalid_request"),
        ("a client", json!({"sub": "orders"}), "", "invalid_request"),
        ("bound", json!({"cnf": {"jkt": "x"}}), "", "invalid_request"),
        (
            "of y",
            json!({"may_act": {"sub": "y"}}),
            "",
            "invalid_request",
        ),
        ("distrusted", json!({}), "&scope=write", "invalid_scope"),
        (
            "less",
            json!({"scope": "x"}),
            "&scope=read",
            "invalid_scope",
        ),
    ] {
        let token = trusted.made(&changes);
        let answer = as_jwt(&room, "orders", &token, more).await;
        refused(&answer, error, what);
    }
    let answer = as_jwt(&room, "other", &trusted.made(&json!({})), "").await;
    refused(&answer, "invalid_request", "another client");
}
