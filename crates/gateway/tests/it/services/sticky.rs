//! Clients that come back to the server or service that answered them first.

use carnet_testkit::client::Response;

use super::{balancer, behind, get, named, texts};
use crate::stand::Stand;

fn cookie(response: &Response) -> String {
    let field = response.headers.only("Set-Cookie").unwrap();
    field.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_cookie_leads_back_to_the_server_and_is_set_once() {
    let (a, b) = (named("a").await, named("b").await);
    let options = "sticky: {cookie: {name: who, secure: true, httpOnly: true, maxAge: 60}}";
    let stand = Stand::new(&behind(&[balancer("s", options, &[&a, &b])])).await;
    let first = get(&stand).await;
    let field = first.headers.only("Set-Cookie").unwrap().to_owned();
    assert!(
        field.ends_with("; Path=/; Max-Age=60; HttpOnly; Secure"),
        "{field}"
    );
    let cookie = format!("Cookie: x=1; {}", cookie(&first));
    for _ in 0..4 {
        let again = stand.get("a", &[&cookie]).await;
        assert_eq!(again.text(), first.text());
        assert!(again.headers.all("Set-Cookie").is_empty());
    }
    let stranger = stand.get("a", &["Cookie: who=nobody"]).await;
    assert!(stranger.headers.only("Set-Cookie").is_some());
}

#[tokio::test]
async fn the_name_is_made_from_the_service_when_there_is_none() {
    let a = named("a").await;
    let stand = Stand::new(&behind(&[balancer("s", "sticky: {cookie: {}}", &[&a])])).await;
    // `printf _TRAEFIK_BACKEND_s@file | sha1sum`
    assert!(cookie(&get(&stand).await).starts_with("_23300="));
}

#[tokio::test]
async fn weighted_services_keep_clients_too() {
    let (a, b) = (named("a").await, named("b").await);
    let stand = Stand::new(&behind(&[
        "s: {weighted: {services: [{name: x}, {name: y, weight: 1}], sticky: {cookie: {name: c}}}}"
            .to_owned(),
        balancer("x", "", &[&a]),
        balancer("y", "", &[&b]),
    ]))
    .await;
    let first = get(&stand).await;
    // `printf x | sha256sum`: the name as it was written.
    assert_eq!(cookie(&first), "c=2d711642b726b044");
    let cookie = format!("Cookie: {}", cookie(&first));
    for _ in 0..3 {
        assert_eq!(stand.get("a", &[&cookie]).await.text(), "a");
    }
    assert_eq!(texts(&stand, 2).await.concat(), "ba");
}
