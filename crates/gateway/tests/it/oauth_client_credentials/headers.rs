//! What the backend sees of the caller and of the token.

use carnet_testkit::server::Request;
use carnet_testkit::token_endpoint::{granted, jwt};
use serde_json::{Value, json};

use super::{Room, basic};

/// What the backend saw of one request with these fields.
async fn seen(options: &str, claims: &Value, fields: &[&str]) -> Request {
    let token = jwt(claims);
    let room = Room::new(options, move |_| granted(&token, Some(60))).await;
    let own = basic("id", "secret");
    let fields = [&[own.as_str()], fields].concat();
    assert_eq!(room.get(&fields).await.status, 200);
    room.backend.seen().pop().unwrap()
}

// Holds HI-01, HI-02, HI-06, CVE-2026-33433, CVE-2026-54763.
#[tokio::test]
async fn a_caller_cannot_bring_a_forwarded_header_in_any_spelling() {
    let spellings = "!#$%&'*+-.^_`|~"
        .chars()
        .map(|c| format!("X{c}User{c}Id: evil"));
    let mut fields: Vec<String> = spellings.collect();
    fields.extend(["x-user_id: evil", "X-USER-ID: evil", "X-User-Id: evil"].map(str::to_owned));
    fields.push("X-User-Identity: mine".to_owned());
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let options = "forwardHeaders: {X-User-Id: sub}";
    for (claims, value) in [(json!({"sub": "ann"}), "ann"), (json!({}), "")] {
        let seen = seen(options, &claims, &fields).await;
        let alike: Vec<&(String, String)> = seen
            .headers
            .0
            .iter()
            .filter(|(name, _)| name.len() == 9 && name.to_ascii_lowercase().starts_with('x'))
            .filter(|(name, _)| name.to_ascii_lowercase().contains("user"))
            .collect();
        assert_eq!(alike, [&("X-User-Id".to_owned(), value.to_owned())]);
        assert_eq!(seen.headers.only("x-user-identity"), Some("mine"));
    }
}

// Holds HI-17.
#[tokio::test]
async fn a_token_is_in_no_answer() {
    let token = jwt(&json!({"sub": "ann"}));
    let unsatisfied = "claims: 'Equals(`sub`, `bob`)'";
    for (claims, status) in [("audience: x", 200), (unsatisfied, 403)] {
        let given = token.clone();
        let room = Room::new(claims, move |_| granted(&given, Some(60))).await;
        let response = room.get(&[&basic("id", "secret")]).await;
        assert_eq!(response.status, status);
        let shown = format!("{:?} {}", response.headers, response.text());
        assert!(
            !shown.contains(&token) && !shown.contains("secret"),
            "{shown}"
        );
    }
}

// Holds HI-08.
#[tokio::test]
async fn a_header_that_is_set_from_a_claim_never_comes_from_the_caller_in_either_mode() {
    let modes = [
        "forwardHeaders: {Sub: sub}",
        "forwardHeaders: {Sub: sub}, clientID: gw, clientSecret: s3cret",
    ];
    for options in modes {
        let seen = seen(
            options,
            &json!({}),
            &["Sub: evil", "SUB: evil", "sub: evil"],
        )
        .await;
        assert_eq!(seen.headers.all("Sub"), [""], "{options}");
    }
}

// Holds HI-03, HI-04, HI-05.
#[tokio::test]
async fn claims_become_values_and_what_cannot_be_one_becomes_an_empty_one() {
    for (claim, value) in [
        (json!("ann"), "ann"),
        (json!("J\u{fc}rgen"), "J\u{fc}rgen"),
        (json!(1_715_874_845), "1715874845"),
        (json!(true), "true"),
        (json!(1.5), "1.5"),
        (json!(null), ""),
        (json!(["office", "home"]), "[\"office\",\"home\"]"),
        (json!({"a": 1}), "{\"a\":1}"),
        (json!("a\r\nX-Evil: y"), ""),
        (json!("a\nb"), ""),
        (json!("a\u{0}b"), ""),
        (json!("a\u{7f}"), ""),
        (json!("a".repeat(8 * 1024 + 1)), ""),
    ] {
        let claims = json!({"sub": claim});
        let seen = seen("forwardHeaders: {Sub: sub}", &claims, &["Sub: evil"]).await;
        assert_eq!(seen.headers.only("sub"), Some(value), "{claims}");
        assert_eq!(seen.headers.all("x-evil"), [""; 0]);
    }
}

#[tokio::test]
async fn the_access_log_names_the_claim_and_nobody_where_there_is_none() {
    for (answer, name) in [
        (jwt(&json!({"user": {"name": "ann"}})), "ann"),
        (jwt(&json!({"user": {"name": 7}})), "7"),
        (jwt(&json!({"user": {"name": ""}})), "-"),
        (jwt(&json!({"user": "ann"})), "-"),
        (jwt(&json!({})), "-"),
        ("opaque".to_owned(), "-"),
    ] {
        let room = Room::new("usernameClaim: user.name", move |_| {
            granted(&answer, Some(60))
        })
        .await;
        for _ in 0..2 {
            assert_eq!(room.get_as("id", "secret").await.status, 200);
        }
        for line in room.gateway.access_log() {
            assert!(line.contains(&format!(" - {name} [")), "{line}");
        }
        let seen = room.backend.seen().pop().unwrap();
        assert_eq!(seen.headers.all("user"), [""; 0], "it is no header");
    }
}

#[tokio::test]
async fn an_opaque_token_leaves_forwarded_headers_empty() {
    let room = Room::new("forwardHeaders: {Sub: sub}", |_| {
        granted("opaque", Some(60))
    })
    .await;
    let fields = [&basic("id", "secret"), "Sub: evil"];
    assert_eq!(room.get(&fields).await.status, 200);
    let seen = room.backend.seen().pop().unwrap();
    assert_eq!(seen.headers.only("sub"), Some(""));
    assert_eq!(seen.headers.only("authorization"), Some("Bearer opaque"));
}

// Holds CVE-2026-29054.
#[tokio::test]
async fn a_connection_header_of_the_callers_removes_nothing_of_the_gateways() {
    let spellings: [&[&str]; 4] = [
        &["Connection: close, Sub, Authorization"],
        &["connection: close,sub,AUTHORIZATION"],
        &["CONNECTION: close , \tsub\t , authorization"],
        &[
            "Connection: close",
            "connection: sub",
            "Connection: Authorization",
        ],
    ];
    for fields in spellings {
        let claims = json!({"sub": "ann"});
        let seen = seen("forwardHeaders: {Sub: sub}", &claims, fields).await;
        assert_eq!(seen.headers.only("sub"), Some("ann"), "{fields:?}");
        assert_ne!(seen.headers.only("authorization"), None, "{fields:?}");
    }
}

#[tokio::test]
async fn nested_and_dotted_claims_are_found_and_others_are_not() {
    let options = r"forwardHeaders: {A: user.name, B: 'a\.b', C: a.b}";
    let claims = json!({"user": {"name": "ann"}, "a.b": "dotted"});
    let seen = seen(options, &claims, &[]).await;
    for (name, value) in [("a", "ann"), ("b", "dotted"), ("c", "")] {
        assert_eq!(seen.headers.only(name), Some(value), "{name}");
    }
}

// Holds TE-15.
#[tokio::test]
async fn a_secret_that_can_be_read_in_two_ways_is_right_in_either() {
    for (sent, registered) in [("p+w%41", "p+w%41"), ("p%2Bw", "p+w"), ("p:w", "p:w")] {
        let room = Room::new("", move |call| {
            let shown = carnet_testkit::token_endpoint::credentials(call).unwrap().1;
            match secrecy::ExposeSecret::expose_secret(&shown.secret) == registered {
                true => granted("t", Some(60)),
                false => carnet_testkit::token_endpoint::refused(401, "invalid_client"),
            }
        })
        .await;
        assert_eq!(room.get_as("id", sent).await.status, 200, "{sent}");
    }
}
