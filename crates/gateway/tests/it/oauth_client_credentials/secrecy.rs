//! Everything that is said while credentials become tokens, at the finest level: none of it holds
//! a secret, whoever fails.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{granted, jwt, refused};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::{Room, basic};

/// All that is traced, as text.
#[derive(Clone, Default)]
struct Ear {
    heard: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

impl Ear {
    fn hear(&self, record: impl FnOnce(&mut Words<'_>)) {
        let mut heard = self.heard.lock().unwrap();
        record(&mut Words(&mut heard));
        heard.push('\n');
    }
}

struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.hear(|words| span.record(words));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.hear(|words| values.record(words));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.hear(|words| event.record(words));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

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
    let ear = Ear::default();
    // With one subscriber alone, `tracing` asks that of the thread on which an event is met first
    // whether anybody cares, which may be a test that has none.
    let _another = tracing::Dispatch::new(Ear::default());
    let _listening = tracing::subscriber::set_default(ear.clone());
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
    said += &ear.heard.lock().unwrap();
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
