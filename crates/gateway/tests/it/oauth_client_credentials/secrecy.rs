//! Everything that is said while credentials become tokens, at the finest level: none of it holds
//! a secret, whoever fails.

use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{granted, jwt, refused};
use serde_json::json;

use super::{Room, basic};
use crate::ear::Ear;

/// Answers of a provider, good and bad, with canaries wherever there is room.
fn answers() -> Vec<Answer> {
    let claims = json!({"sub": "id", "iat": 0, "note": "CANARY-claim"});
    let text = "CANARY-answer";
    vec![
        granted(&format!("{}CANARY-token", jwt(&claims)), Some(60)),
        granted("CANARY-opaque", Some(60)),
        granted("CANARY-opaque\u{1}", Some(60)),
        refused(401, "invalid_client"),
        refused(400, "invalid_scope"),
        Answer::text(200, text),
        Answer::text(500, text).with("X-Note", text),
        Answer::text(302, text).with("Location", "http://127.0.0.1/CANARY-location"),
        Answer::Bytes(b"CANARY-bytes\r\n\r\n".to_vec()),
        Answer::Drop,
    ]
}

// Holds SE-05.
#[tokio::test]
async fn nothing_that_is_said_at_any_level_holds_a_secret() {
    let (ear, _listening) = Ear::listening();
    let nowhere = super::closed_port();
    let common = format!(
        "clientConfig: {{maxRetries: 0, timeoutSeconds: 1}}, parameters: {{pin: CANARY-pin}}, \
         revocations: {{url: 'http://{nowhere}/r', bearer: CANARY-bearer}}"
    );
    let modes = [
        common.clone(),
        format!("{common}, claims: 'Equals(`sub`, `id`)'"),
        format!("{common}, clientID: gw, clientSecret: CANARY-own"),
        format!("{common}, clientID: gw, clientAssertion: {{token: CANARY-assertion}}"),
        format!("{common}, verify: {{jwks: 'http://{nowhere}/CANARY-path'}}"),
    ];
    let mut said = String::new();
    for mode in &modes {
        for answer in answers() {
            let room = Room::new(mode, move |_| answer.clone()).await;
            let fields = [&basic("id", "CANARY-secret"), "Cookie: a=CANARY-cookie"];
            for _ in 0..2 {
                let response = room.get(&fields).await;
                said += &format!("{response:?}\n");
            }
            said += &room.gateway.access_log().join("\n");
            said += &format!("{:?}", room.gateway.cached());
        }
    }
    said += &ear.heard();
    let shouted: Vec<_> = said
        .lines()
        .filter(|line| line.contains("CANARY"))
        .collect();
    assert_eq!(shouted, [""; 0]);
    // It did listen.
    for word in [
        "request failed",
        "token endpoint refused",
        "revocations are not heard",
    ] {
        assert!(said.contains(word), "{word}");
    }
}
