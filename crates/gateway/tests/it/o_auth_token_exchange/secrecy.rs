//! Nothing that is said while tokens are exchanged holds one, at any level, whoever fails.

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{jwt, refused};
use serde_json::json;

use super::{door, given};
use crate::ear::Ear;
use crate::jwt::bearer;

/// Answers of a server, good and bad, with canaries wherever there is room.
fn answers() -> Vec<Answer> {
    let claims = json!({"sub": "alice", "note": "CANARY-claim"});
    vec![
        given(&format!("{}CANARY-token", jwt(&claims))),
        given("CANARY-opaque"),
        given("CANARY-opaque\u{1}"),
        refused(400, "invalid_request"),
        refused(400, "invalid_target"),
        refused(401, "invalid_client"),
        Answer::text(200, "CANARY-answer"),
        Answer::text(500, "CANARY-answer"),
        Answer::Bytes(b"CANARY-bytes\r\n\r\n".to_vec()),
        Answer::Drop,
    ]
}

// Holds SE-05.
#[tokio::test]
async fn no_token_and_no_secret_is_said_at_any_level() {
    let (ear, _listening) = Ear::listening();
    let asked = "clientConfig: {maxRetries: 0, timeoutSeconds: 1}, parameters: {pin: CANARY-pin}, \
                 rfc8693: {actorToken: CANARY-actor}, tokenSource: {header: Authorization, query: t, \
                 cookie: t}";
    let mut said = String::new();
    for answer in answers() {
        let server = Server::start(move |_| answer.clone()).await.unwrap();
        let door = door(&server, asked).await;
        for _ in 0..2 {
            let response = door.get(&[&bearer("CANARY-subject")]).await;
            said += &format!("{response:?}\n");
            let request = "GET /?t=CANARY-query HTTP/1.1\r\nHost: api.test\r\nCookie: a=b\r\n\
                           Connection: close\r\n\r\n";
            said += &format!("{:?}\n", door.send(request).await);
            let response = door.get(&["Cookie: t=CANARY-cookie"]).await;
            said += &format!("{response:?}\n");
        }
        for request in door.backend.seen() {
            let line = format!("{request:?}");
            assert!(
                !line.contains("CANARY-subject") && !line.contains("CANARY-query"),
                "{line}"
            );
            assert!(!line.contains("CANARY-cookie"), "{line}");
        }
        said += &door.gateway.access_log().join("\n");
        said += &format!("{:?}", door.gateway.cached());
    }
    said += &ear.heard();
    let shouted = said.lines().filter(|line| line.contains("CANARY"));
    assert_eq!(shouted.collect::<Vec<_>>(), [""; 0]);
    // It did listen.
    for word in ["request failed", "token endpoint refused"] {
        assert!(said.contains(word), "{word}");
    }
}
