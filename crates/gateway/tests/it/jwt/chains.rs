//! Chains that users build with `jwt` in them.

use carnet_jose::Algorithm;
use carnet_testkit::Server;
use carnet_testkit::token_endpoint::granted;

use super::{Door, claims, inline, key, signed};

/// The caller's token comes in, the gateway's own goes out.
#[tokio::test]
async fn a_token_is_verified_and_the_gateways_own_takes_its_place() {
    let own = key(Algorithm::Es256, "k");
    let provider = Server::start(|_| granted("own-token", Some(300)))
        .await
        .unwrap();
    let jwt = format!(
        "jwt: {{{}, forwardHeaders: {{X-User: sub}}}}",
        inline(&[&own])
    );
    let swap = format!(
        "plugin: {{oAuthClientCredentials: {{url: '{}', clientID: gateway, clientSecret: s}}}}",
        provider.url("/oauth2/token")
    );
    let door = Door::behind(&[&jwt, &swap]).await;
    for refused in [
        "",
        "Authorization: Bearer own-token",
        "Authorization: Basic YTpi",
    ] {
        let fields: Vec<&str> = Some(refused)
            .filter(|field| !field.is_empty())
            .into_iter()
            .collect();
        assert_eq!(door.get(&fields).await.status, 401);
    }
    assert_eq!((provider.count(), door.backend.count()), (0, 0));
    for _ in 0..3 {
        assert_eq!(door.with(&signed(&own, &claims())).await.status, 200);
        assert_eq!(door.seen("authorization"), ["Bearer own-token"]);
        assert_eq!(door.seen("x-user"), ["alice"]);
    }
    assert_eq!(provider.count(), 1);
}
