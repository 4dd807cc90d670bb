//! What a client's registration says about its tokens.

use axum::http::{Method, StatusCode};
use carnet_authserver::{AccessTokenStrategy, Options};
use carnet_jose::jws;
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

async fn decoded(room: &Room, id: &str) -> (Value, Value) {
    let decoded = jws::decode_unverified(&room.token(id).await).unwrap();
    let claims = serde_json::from_slice(&decoded.payload).unwrap();
    (Value::Object(decoded.header), claims)
}

#[tokio::test]
async fn claims_of_a_client_are_in_its_tokens_and_in_no_others() {
    let room = Room::new(Options {
        allowed_top_level_claims: vec!["tier".to_owned()],
        ..tutorial()
    })
    .await;
    let own = json!({"team": {"b": 1, "a": "x"}, "tier": "gold"});
    let id = room.create(json!({"access_token_claims": own})).await;
    let (_, claims) = decoded(&room, &id).await;
    assert_eq!((&claims["ext"], &claims["tier"]), (&own, &json!("gold")));
    assert_eq!(claims.get("team"), None);
    let token = room.token(&id).await;
    assert_eq!(room.introspect(&token).await["ext"], own);
    let (_, others) = decoded(&room, &room.create(json!({})).await).await;
    assert_eq!((&others["ext"], others.get("tier")), (&json!({}), None));

    let path = format!("/admin/clients/{id}");
    let patch = json!([{"op": "replace", "path": "/access_token_claims/tier", "value": "tin"}]);
    let patched = room.admin(Method::PATCH, &path, patch).await;
    assert_eq!(patched.json()["access_token_claims"]["tier"], "tin");
    assert_eq!(decoded(&room, &id).await.1["tier"], "tin");
    let bad = json!([{"op": "add", "path": "/access_token_claims/exp", "value": 9}]);
    let refused = room.admin(Method::PATCH, &path, bad).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["error"], "invalid_client_metadata");
}

#[tokio::test]
async fn claims_of_a_client_are_kept_with_its_opaque_tokens() {
    let room = Room::new(Options {
        access_token_strategy: AccessTokenStrategy::Opaque,
        ..tutorial()
    })
    .await;
    let own = json!({"team": "a"});
    let id = room.create(json!({"access_token_claims": own})).await;
    let token = room.token(&id).await;
    assert_eq!(room.introspect(&token).await["ext"], own);
}

#[tokio::test]
async fn a_client_chooses_its_profile_whatever_the_servers_is() {
    let room = Room::new(tutorial()).await;
    let standard = json!({"access_token_profile": "rfc9068", "access_token_claims": {"a": 1}});
    let id = room.create(standard).await;
    let (header, claims) = decoded(&room, &id).await;
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(
        (claims.get("scp"), &claims["ext"]),
        (None, &json!({"a": 1}))
    );
    assert!(room.introspect(&room.token(&id).await).await["active"] == true);

    let room = Room::new(Options {
        token_profile: carnet_authserver::TokenProfile::Rfc9068,
        ..tutorial()
    })
    .await;
    let id = room.create(json!({"access_token_profile": "hydra"})).await;
    let (header, claims) = decoded(&room, &id).await;
    assert_eq!(
        (&header["typ"], &claims["scp"]),
        (&json!("JWT"), &json!([]))
    );
}

#[tokio::test]
async fn members_of_our_own_are_shown_only_where_they_are_set() {
    let room = Room::new(tutorial()).await;
    let own = [
        "access_token_profile",
        "access_token_claims",
        "token_limits",
    ];
    let id = room.create(json!({"access_token_claims": null})).await;
    let path = format!("/admin/clients/{id}");
    let shown = room.admin(Method::GET, &path, Value::Null).await.json();
    for member in own {
        assert_eq!(shown.get(member), None, "{member}");
    }
    let set = json!({"access_token_profile": "hydra", "access_token_claims": {"a": 1},
        "token_limits": {"rate": 3, "period": "1h0m0s"}});
    let shown = room.admin(Method::PUT, &path, set.clone()).await.json();
    for member in own {
        assert_eq!(shown[member], set[member], "{member}");
    }
}
