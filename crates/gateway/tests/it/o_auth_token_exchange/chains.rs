//! Chains that users build: the caller's token is verified first, or is the gateway's own.

use carnet_jose::Algorithm;
use carnet_testkit::Server;
use carnet_testkit::token_endpoint::granted;

use super::{changer, exchange, subject};
use crate::jwt::{Door, claims, inline, key, signed};

// Holds JW-21.
#[tokio::test]
async fn behind_jwt_only_a_token_that_is_right_is_exchanged() {
    let own = key(Algorithm::Es256, "k");
    let other = key(Algorithm::Es256, "k");
    let server = changer().await;
    let jwt = format!(
        "jwt: {{{}, forwardAuthorization: true, forwardHeaders: {{X-User: sub}}}}",
        inline(&[&own])
    );
    let door = Door::behind(&[&jwt, &exchange(&server, "")]).await;
    assert_eq!(door.get(&[]).await.status, 401);
    assert_eq!(door.with(&signed(&other, &claims())).await.status, 401);
    assert_eq!((server.count(), door.backend.count()), (0, 0));
    let right = signed(&own, &claims());
    assert_eq!(door.with(&right).await.status, 200);
    assert_eq!(subject(&server.seen()[0]), right);
    assert_eq!(door.seen("authorization"), [format!("Bearer for-{right}")]);
    assert_eq!(door.seen("x-user"), ["alice"]);
}

#[tokio::test]
async fn behind_mode_b_the_gateways_own_token_is_exchanged() {
    let tokens = Server::start(|_| granted("gateways", Some(300))).await;
    let (tokens, server) = (tokens.unwrap(), changer().await);
    let own = format!(
        "oAuthClientCredentials: {{url: '{}', clientID: gw, clientSecret: s}}",
        tokens.url("/oauth2/token")
    );
    let door = Door::behind(&[&own, &exchange(&server, "")]).await;
    for _ in 0..2 {
        assert_eq!(door.with("callers").await.status, 200);
        assert_eq!(door.seen("authorization"), ["Bearer for-gateways"]);
    }
    assert_eq!((tokens.count(), server.count()), (1, 1));
}

#[tokio::test]
async fn two_exchanges_follow_each_other() {
    let (first, second) = (changer().await, changer().await);
    let door = Door::behind(&[&exchange(&first, ""), &exchange(&second, "")]).await;
    assert_eq!(door.with("callers").await.status, 200);
    assert_eq!(door.seen("authorization"), ["Bearer for-for-callers"]);
    assert_eq!(subject(&second.seen()[0]), "for-callers");
}
