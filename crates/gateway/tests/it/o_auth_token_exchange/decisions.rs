//! The table of `docs/reference/token-exchange.md`, row by row: what the server says, what the caller
//! gets, and that the backend sees a token of the server or nothing.

use carnet_oauth::token_type::{ACCESS_TOKEN, JWT};
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{granted, jwt, refused};
use serde_json::{Value, json};

use super::{ONCE, changer, door, given};
use crate::jwt::{bearer, challenge};

const INVALID: Option<&str> = Some("Bearer realm=\"carnet\", error=\"invalid_token\"");

/// A token answer with something else in it.
fn with(name: &str, value: Value) -> Answer {
    let mut body = json!({
        "access_token": "t", "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer",
    });
    body[name] = value;
    Answer::json(200, &body)
}

/// What a caller gets: the status, the challenge and when to come back.
async fn outcome(answer: &Answer, options: &str) -> (u16, Option<String>, Option<String>) {
    let told = answer.clone();
    let server = Server::start(move |_| told.clone()).await.unwrap();
    let door = door(&server, options).await;
    let response = door.with("callers").await;
    let is_served = response.status == 200;
    assert_eq!(door.backend.count(), usize::from(is_served), "{answer:?}");
    if is_served {
        assert_eq!(door.seen("authorization"), ["Bearer t"]);
    }
    assert!(!response.text().contains("description"), "{response:?}");
    let field = |name| response.headers.only(name).map(str::to_owned);
    (
        response.status,
        field("www-authenticate"),
        field("retry-after"),
    )
}

// Holds BR-02, BR-03.
#[tokio::test]
async fn each_answer_of_the_server_gets_the_answer_of_its_row() {
    let patience = Answer::text(429, "").with("Retry-After", "7");
    let elsewhere = Answer::text(302, "").with("Location", "/elsewhere");
    for (answer, status, challenge, wait) in [
        (given("t"), 200, None, None),
        (refused(400, "invalid_request"), 401, INVALID, None),
        (refused(400, "invalid_grant"), 401, INVALID, None),
        (refused(400, "invalid_token"), 401, INVALID, None),
        (refused(401, "invalid_token"), 401, INVALID, None),
        (refused(400, "interaction_required"), 401, INVALID, None),
        (refused(400, "invalid_target"), 403, None, None),
        (refused(400, "invalid_scope"), 403, None, None),
        (refused(403, "access_denied"), 403, None, None),
        (refused(401, "invalid_client"), 502, None, None),
        (refused(400, "invalid_client"), 502, None, None),
        (refused(400, "unauthorized_client"), 502, None, None),
        (refused(400, "unsupported_grant_type"), 502, None, None),
        (Answer::text(401, "who?"), 502, None, None),
        (Answer::text(404, "not here"), 502, None, None),
        (elsewhere, 502, None, None),
        (Answer::text(200, "<html>"), 502, None, None),
        (Answer::text(500, ""), 503, None, Some("1")),
        (Answer::Drop, 503, None, Some("1")),
        (patience, 503, None, Some("7")),
        (Answer::Hang, 504, None, None),
    ] {
        let (was, said, after) = outcome(&answer, ONCE).await;
        assert_eq!(was, status, "{answer:?}");
        assert_eq!(said.as_deref(), challenge, "{answer:?}");
        assert_eq!(after.as_deref(), wait, "{answer:?}");
    }
}

// Holds TX-01.
#[tokio::test]
async fn only_a_token_of_the_right_type_is_used() {
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    let wanted = format!("{ONCE}, rfc8693: {{requestedTokenType: '{JWT}'}}");
    for (options, answer, status) in [
        (ONCE, with("issued_token_type", json!(id_token)), 502),
        (ONCE, with("issued_token_type", json!(JWT)), 502),
        (ONCE, granted("t", Some(300)), 502),
        (ONCE, with("token_type", json!("N_A")), 502),
        (ONCE, with("token_type", json!("DPoP")), 502),
        (&wanted, with("issued_token_type", json!(JWT)), 200),
        (&wanted, with("issued_token_type", json!(id_token)), 502),
        (&wanted, given("t"), 200),
    ] {
        let (was, ..) = outcome(&answer, options).await;
        assert_eq!(was, status, "{options} {answer:?}");
    }
}

#[tokio::test]
async fn claims_of_the_new_token_decide_and_are_shown() {
    for (claims, status) in [
        (json!({"grp": "admin", "sub": "alice"}), 200),
        (json!({"grp": "guest", "sub": "alice"}), 403),
    ] {
        let token = jwt(&claims);
        let server = Server::start(move |_| given(&token)).await.unwrap();
        let options = "claims: 'Equals(`grp`, `admin`)', forwardHeaders: {X-User: sub}, \
                       usernameClaim: sub";
        let door = door(&server, options).await;
        let caller = [&*bearer("callers"), "X-User: root"];
        let response = door.get(&caller).await;
        assert_eq!(response.status, status);
        match status {
            200 => {
                assert_eq!(door.seen("x-user"), ["alice"]);
                assert!(door.gateway.access_log().join("").contains("alice"));
            }
            _ => {
                let why = "Bearer realm=\"carnet\", error=\"insufficient_scope\"";
                assert_eq!(challenge(&response), Some(why));
            }
        }
    }
}

// Holds BR-01, BR-02.
#[tokio::test]
async fn a_request_without_one_token_is_refused_and_nobody_is_asked() {
    let server = changer().await;
    let door = door(&server, ONCE).await;
    let (good, other) = (bearer("one"), bearer("other"));
    for (fields, status, said) in [
        (vec![], 401, Some("Bearer realm=\"carnet\"")),
        (
            vec!["Authorization: Basic YTpi"],
            401,
            Some("Bearer realm=\"carnet\""),
        ),
        (vec!["Authorization: Bearer"], 401, INVALID),
        (vec!["Authorization: Bearer a b"], 401, INVALID),
        (vec!["Authorization: Bearer a,b"], 401, INVALID),
        (vec!["Authorization: DPoP bound"], 401, INVALID),
        (vec![&good, &other], 401, INVALID),
    ] {
        let response = door.get(&fields).await;
        assert_eq!(response.status, status, "{fields:?}");
        assert_eq!(challenge(&response), said, "{fields:?}");
    }
    assert_eq!((server.count(), door.backend.count()), (0, 0));
}

#[tokio::test]
async fn a_token_is_found_where_the_options_say_and_taken_off() {
    let server = changer().await;
    for (source, field, target) in [
        ("header: X-Token", "X-Token: callers", "/"),
        (
            "header: Authorization, headerAuthScheme: Key",
            "Authorization: key callers",
            "/",
        ),
        ("query: t", "X-Other: a", "/?a=b&t=callers"),
        ("cookie: t", "Cookie: a=b; t=callers", "/"),
    ] {
        let door = door(&server, &format!("tokenSource: {{{source}}}")).await;
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: api.test\r\n{field}\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(door.send(&request).await.status, 200, "{source}");
        assert_eq!(door.seen("authorization"), ["Bearer for-callers"]);
        let seen = format!("{:?}", door.backend.seen());
        assert!(
            !seen.replace("for-callers", "").contains("callers"),
            "{seen}"
        );
        let log = door.gateway.access_log().join("\n");
        assert!(!log.contains("callers"), "{log}");
    }
    // Another place is none, and two are one too many.
    let door = door(&server, "tokenSource: {header: X-Token, query: t}").await;
    assert_eq!(door.with("callers").await.status, 401);
    let two = "GET /?t=a HTTP/1.1\r\nHost: api.test\r\nX-Token: a\r\nConnection: close\r\n\r\n";
    assert_eq!(door.send(two).await.status, 400);
    assert_eq!(door.backend.count(), 0);
}
