//! Who may pass.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carnet_testkit::server::Answer;
use carnet_testkit::{Server, client};

use super::{Guarded, document, seen};
use crate::stand::{Stand, Whoami};

/// user:test
const USERS: &str = "basicAuth: {users: ['user:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/', \
                     'star:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW']";

fn users(more: &str) -> String {
    format!("{{{USERS}{more}}}}}")
}

fn basic(name: &str, password: &str) -> String {
    let pair = STANDARD.encode(format!("{name}:{password}"));
    format!("\nAuthorization: Basic {pair}")
}

#[tokio::test]
async fn only_listed_addresses_pass_and_others_may_get_another_status() {
    for (options, status) in [
        ("{ipAllowList: {sourceRange: [127.0.0.1]}}", 200),
        ("{ipAllowList: {sourceRange: [127.0.0.0/8]}}", 200),
        ("{ipAllowList: {sourceRange: [10.0.0.0/8]}}", 403),
        (
            "{ipAllowList: {sourceRange: [10.0.0.0/8], rejectStatusCode: 404}}",
            404,
        ),
        // Nobody told an address that could be chosen.
        (
            "{ipAllowList: {sourceRange: [127.0.0.1], ipStrategy: {depth: 1}}}",
            403,
        ),
        // No address at all is a mistake, and nobody passes a mistake.
        ("{ipAllowList: {sourceRange: []}}", 503),
        ("{ipAllowList: {sourceRange: [nobody]}}", 503),
    ] {
        let gateway = Guarded::by(&[options]).await;
        assert_eq!(gateway.status("").await, status, "{options}");
        // Who says so himself is not believed, in no spelling.
        for forged in [
            "X-Forwarded-For",
            "X_Forwarded_For",
            "X.Forwarded.For",
            "X-Real-Ip",
        ] {
            let forged = format!("\n{forged}: 10.0.0.1");
            assert_eq!(gateway.status(&forged).await, status, "{options}{forged}");
        }
    }
}

// Holds CVE-2026-32595, CVE-2026-41263.
#[tokio::test]
async fn a_right_password_passes_twice_and_everything_else_is_challenged() {
    let gateway = Guarded::by(&[&users("")]).await;
    for _ in 0..2 {
        assert_eq!(gateway.status(&basic("user", "test")).await, 200);
        assert_eq!(gateway.status(&basic("star", "U*U")).await, 200);
        let head = format!("GET / HTTP/1.1\nHost: a.test{}", basic("user", "wrong"));
        let refused = gateway.ask(&head).await;
        assert_eq!(refused.status, 401);
        assert_eq!(
            refused.headers.only("www-authenticate"),
            Some("Basic realm=\"traefik\"")
        );
        assert_eq!(refused.text(), "401 Unauthorized\n");
    }
    for fields in [
        String::new(),
        // Not even with the password of somebody: the hash that is computed for nobody may be his.
        basic("nobody", "test"),
        basic("nobody", "U*U"),
        basic("user", ""),
        basic("", "test"),
        // What was right for one is not right for another.
        basic("star", "test"),
        "\nAuthorization: Basic %%%".to_owned(),
        "\nAuthorization: Bearer x".to_owned(),
        // Which of two counts is anybody's guess.
        basic("user", "test") + &basic("user", "test"),
        basic("user", "test") + &basic("nobody", "x"),
    ] {
        assert_eq!(gateway.status(&fields).await, 401, "{fields}");
    }
}

// Holds HI-01, HI-02, CVE-2026-33433, CVE-2026-54763.
#[tokio::test]
async fn the_service_gets_the_name_and_nobody_elses_field_in_any_spelling() {
    let gateway = Guarded::by(&[&users(", headerField: X-User, removeHeader: true")]).await;
    let head = format!(
        "GET / HTTP/1.1\nHost: a.test\nX-User: forged\nX_User: forged\nX.User: forged{}",
        basic("user", "test")
    );
    let response = gateway.ask(&head).await;
    assert_eq!(seen(&response, "X-User").as_deref(), Some("user"));
    assert!(!response.text().contains("forged"), "{}", response.text());
    assert_eq!(seen(&response, "Authorization").as_deref(), None);
}

#[tokio::test]
async fn guards_stand_together_and_each_of_them_is_asked() {
    let list = "{ipAllowList: {sourceRange: [127.0.0.1]}}";
    let others = "{ipAllowList: {sourceRange: [10.0.0.1]}}";
    for (middlewares, fields, status) in [
        ([list, &users("")], basic("user", "test"), 200),
        ([list, &users("")], String::new(), 401),
        ([others, &users("")], basic("user", "test"), 403),
        ([&users(""), others], basic("user", "test"), 403),
        ([&users(""), others], String::new(), 401),
    ] {
        let gateway = Guarded::by(&middlewares).await;
        assert_eq!(
            gateway.status(&fields).await,
            status,
            "{middlewares:?}{fields}"
        );
    }
}

#[tokio::test]
async fn a_chain_is_its_members_and_one_that_contains_itself_closes_its_routers() {
    let list = "{ipAllowList: {sourceRange: [127.0.0.1]}}";
    let chain = |members: &str| format!("{{chain: {{middlewares: [{members}]}}}}");
    for (inner, status) in [("m0", 401), ("m2, m0", 401), ("m1", 503), ("nobody", 503)] {
        let backend = Whoami::start();
        let options = [users(""), chain(inner), list.to_owned()];
        let options = options.each_ref().map(String::as_str);
        let yaml = document(&options, &backend.url).replace("[m0, m1, m2]", "[m1]");
        let stand = Stand::new(&yaml).await;
        let response = stand.ask("GET / HTTP/1.1\nHost: a.test").await;
        assert_eq!(response.status, status, "{inner}");
    }
}

#[tokio::test]
async fn a_place_is_free_again_when_the_answer_has_been_sent() {
    let backend = Server::start(|_| Answer::text(200, "done")).await.unwrap();
    backend.hold();
    let yaml = document(&["{inFlightReq: {amount: 1}}"], &backend.url(""));
    let stand = Stand::new(&yaml).await;
    let address = stand.address;
    let first = tokio::spawn(async move { client::get(address, "a.test", &[]).await.unwrap() });
    backend.asked(1).await;
    let refused = stand.get("a.test", &[]).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.text(), "max connections reached: 1");
    backend.release();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(stand.get("a.test", &[]).await.status, 200);
}
