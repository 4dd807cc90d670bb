//! The line that is logged of a request.

use carnet_authserver::{Options, PortOptions, Ports};
use serde_json::{Value, json};

use crate::server::{Room, secrecy::Log, tutorial};

/// What is logged of requests while something is done.
async fn logged(level: &str, run: impl Future<Output = ()>) -> Vec<Value> {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(level)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    run.await;
    drop(guard);
    let text = log.text();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["message"] == "completed handling request")
        .collect()
}

#[tokio::test]
async fn a_request_is_a_line_with_the_fields_of_hydra() {
    let room = Room::new(tutorial()).await;
    let headers = [("user-agent", "me"), ("authorization", "Basic canary")];
    let lines = logged("info", async {
        room.post("/oauth2/token/?canary=1", &headers, "").await;
    })
    .await;
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    for (field, value) in [
        ("level", json!("INFO")),
        ("http_request.method", json!("POST")),
        ("http_request.path", json!("/oauth2/token/")),
        ("http_request.query", json!("REDACTED")),
        ("http_request.scheme", json!("http")),
        ("http_response.status", json!(400)),
        ("http_response.text_status", json!("Bad Request")),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert!(line["http_response.took"].as_u64().unwrap() > 0);
    assert!(line["http_response.size"].as_u64().unwrap() > 0);
    let of = |field: &str| serde_json::from_str::<Value>(line[field].as_str().unwrap()).unwrap();
    let headers = of("http_request.headers");
    assert_eq!(
        (&headers["user-agent"], &headers["authorization"]),
        (&json!("me"), &json!("REDACTED"))
    );
    assert_eq!(of("http_response.headers")["cache-control"], "no-store");
    assert!(!line.to_string().contains("canary"), "{line}");
}

#[tokio::test]
async fn requests_are_not_logged_above_info_nor_probes_where_they_shall_not_be() {
    let ask = async |room: &Room| {
        room.get("/health/alive").await;
        room.get("/health/ready/").await;
        room.admin(axum::http::Method::GET, "/health/alive", Value::Null)
            .await;
        room.get("/nowhere").await;
    };
    let room = Room::new(tutorial()).await;
    assert_eq!(logged("info", ask(&room)).await.len(), 4);
    assert_eq!(logged("warn", ask(&room)).await.len(), 0);
    let silent = PortOptions {
        silent_health: true,
        ..PortOptions::default()
    };
    let options = Options {
        ports: Ports {
            public: silent,
            ..Ports::default()
        },
        ..tutorial()
    };
    room.server.reload(options).unwrap();
    let lines = logged("info", ask(&room)).await;
    let paths: Vec<_> = lines
        .iter()
        .map(|line| &line["http_request.path"])
        .collect();
    assert_eq!(paths, ["/health/alive", "/nowhere"]);
}
