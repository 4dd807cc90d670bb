//! `/userinfo`, as machines see it.

use axum::http::StatusCode;
use serde_json::json;

use crate::server::{Room, tutorial};

// Holds BR-01.
#[tokio::test]
async fn a_token_is_taken_from_the_header_or_the_form_and_nowhere_else() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let token = room.token(&id).await;
    let header = format!("bearer {token}");
    let form = format!("access_token={token}");
    let in_header = room
        .post("/userinfo", &[("authorization", &header)], "")
        .await;
    let in_form = room.post("/userinfo", &[], &form).await;
    for answer in [in_header, in_form] {
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["aud"], json!([id]));
    }
    let both = room
        .post("/userinfo", &[("authorization", &header)], &form)
        .await;
    assert_eq!(both.status, StatusCode::BAD_REQUEST);
    for path in ["/userinfo".to_owned(), format!("/userinfo?{form}")] {
        let answer = room.get(&path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer error=\"request_unauthorized\""),
            "{challenge}"
        );
    }
}
