//! What Prometheus reads.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Answer, Room, tutorial};

async fn metrics(room: &Room) -> Answer {
    room.admin(Method::GET, "/metrics/prometheus", Value::Null)
        .await
}

/// The value of the one line that begins so and has all of these labels.
fn value(text: &str, name: &str, labels: &[&str]) -> Option<String> {
    let mut lines = text.lines().filter(|line| {
        line.starts_with(&format!("{name}{{")) && labels.iter().all(|label| line.contains(label))
    });
    let line = lines.next()?;
    assert_eq!(lines.next(), None, "{text}");
    line.rsplit_once(' ').map(|(_, value)| value.to_owned())
}

#[tokio::test]
async fn requests_to_both_ports_are_counted_by_route_method_and_status() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    room.token(&id).await;
    room.token(&id).await;
    room.basic(&id, "wrong-secret", "").await;
    for id in ["a", "b", "c"] {
        room.admin(Method::GET, &format!("/clients/{id}"), Value::Null)
            .await;
    }
    let answer = metrics(&room).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let text = answer.text;
    assert!(text.ends_with("# EOF\n"), "{text}");
    for (name, labels, expected) in [
        (
            "http_requests_total",
            [
                "method=\"POST\"",
                "endpoint=\"/oauth2/token\"",
                "code=\"200\"",
            ],
            "2",
        ),
        (
            "http_requests_total",
            [
                "method=\"POST\"",
                "endpoint=\"/oauth2/token\"",
                "code=\"401\"",
            ],
            "1",
        ),
        (
            "http_requests_duration_seconds_count",
            [
                "method=\"GET\"",
                "endpoint=\"/admin/clients/{id}\"",
                "code=\"404\"",
            ],
            "3",
        ),
        (
            "http_requests_statuses_total",
            ["method=\"POST\"", "status_bucket=\"2xx\"", "app=\"carnet\""],
            "3",
        ),
    ] {
        let found = value(&text, name, &labels);
        assert_eq!(found.as_deref(), Some(expected), "{labels:?}\n{text}");
    }
}

// Holds SE-07.
#[tokio::test]
async fn what_is_sent_neither_adds_labels_nor_comes_back_in_one() {
    let room = Room::new(tutorial()).await;
    for at in 0..50 {
        let method = Method::from_bytes(format!("PLANTED{at}").as_bytes()).unwrap();
        room.public(method, "/oauth2/token").await;
        room.get(&format!("/planted-{at}?planted={at}")).await;
        room.get(&format!("/oauth2/register/planted-{at}")).await;
        let path = format!("/keys/planted-{at}/planted");
        room.admin(Method::GET, &path, Value::Null).await;
    }
    let text = metrics(&room).await.text;
    assert!(!text.to_lowercase().contains("planted"), "{text}");
    let series = text
        .lines()
        .filter(|line| line.starts_with("http_requests_total"));
    assert_eq!(series.count(), 4, "{text}");
    let other = ["method=\"GET\"", "endpoint=\"other\"", "code=\"404\""];
    let found = value(&text, "http_requests_total", &other);
    assert_eq!(found.as_deref(), Some("50"));
}
