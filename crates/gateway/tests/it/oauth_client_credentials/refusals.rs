//! What a caller gets when there is no token, in both modes: the backend sees nothing, ever.

use std::net::SocketAddr;

use carnet_testkit::Server;
use carnet_testkit::client::Response;
use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{granted, jwt, refused};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::{Room, basic, closed_port};

/// The gateway's own credentials make mode B.
const OWN: &str = "clientID: id, clientSecret: secret";

/// One attempt, and a second for it: what is tested are the outcomes.
const ONCE: &str = "clientConfig: {maxRetries: 0, timeoutSeconds: 1}";

/// Both modes against a provider; the answers, once the backend is known to have seen nothing.
async fn both(options: &str, answer: &Answer) -> [Response; 2] {
    let mut responses = Vec::new();
    for mode in [String::new(), format!("{OWN}, ")] {
        let told = answer.clone();
        let room = Room::new(&format!("{mode}{options}"), move |_| told.clone()).await;
        let response = room.get(&[&basic("id", "secret")]).await;
        assert_eq!(room.backend.count(), 0, "{answer:?}");
        responses.push(response);
    }
    responses.try_into().unwrap()
}

fn statuses(responses: &[Response; 2]) -> (u16, u16) {
    (responses[0].status, responses[1].status)
}

#[tokio::test]
async fn a_provider_in_trouble_means_503_and_when_to_come_back() {
    let overloaded = Answer::text(429, "slow down").with("Retry-After", "7");
    for (answer, seconds) in [
        (Answer::Drop, "1"),
        (Answer::text(500, "oops"), "1"),
        (Answer::text(503, "later"), "1"),
        (overloaded, "7"),
    ] {
        let responses = both(ONCE, &answer).await;
        assert_eq!(statuses(&responses), (503, 503), "{answer:?}");
        for response in &responses {
            assert_eq!(
                response.headers.only("retry-after"),
                Some(seconds),
                "{answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_means_503() {
    for url in [
        format!("http://{}/token", closed_port()),
        // No name server is asked: a label has at most 63 characters.
        format!("https://{}.example/token", "x".repeat(64)),
        format!("https://{}/token", speaks_no_tls().await),
    ] {
        for mode in [String::new(), format!("{OWN}, ")] {
            let unused = Server::start(|_| Answer::Hang).await.unwrap();
            let room = Room::with_provider(&url, &format!("{mode}{ONCE}"), unused).await;
            let response = room.get(&[&basic("id", "secret")]).await;
            assert_eq!(response.status, 503, "{url}");
            assert_eq!(response.headers.only("retry-after"), Some("1"), "{url}");
            assert_eq!(room.backend.count(), 0, "{url}");
        }
    }
}

/// A port whose owner speaks first, and plainly.
async fn speaks_no_tls() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"220 ready\r\n").await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn no_answer_in_time_means_504() {
    assert_eq!(statuses(&both(ONCE, &Answer::Hang).await), (504, 504));
}

#[tokio::test]
async fn an_answer_that_is_no_token_answer_means_502() {
    let large = format!("{{\"access_token\": \"{}\"", "a".repeat(2 << 20));
    for answer in [
        Answer::Bytes(b"this is no HTTP\r\n\r\n".to_vec()),
        Answer::text(200, "<html>"),
        Answer::json(200, &json!({})),
        Answer::json(200, &json!({"access_token": "t", "token_type": "mac"})),
        Answer::json(
            200,
            &json!({"access_token": "a\r\nX: y", "token_type": "bearer"}),
        ),
        Answer::text(204, ""),
        Answer::text(200, &large),
    ] {
        let responses = both(ONCE, &answer).await;
        assert_eq!(statuses(&responses), (502, 502), "{answer:?}");
    }
}

// Holds HI-20, BC-04.
#[tokio::test]
async fn a_redirect_means_502_and_nobody_follows_it() {
    let elsewhere = Server::start(|_| granted("t", Some(60))).await.unwrap();
    for status in [301, 302, 307, 308] {
        let answer = Answer::text(status, "").with("Location", &elsewhere.url("/"));
        assert_eq!(statuses(&both(ONCE, &answer).await), (502, 502));
    }
    assert_eq!(elsewhere.count(), 0);
}

// Holds HI-18.
#[tokio::test]
async fn a_client_that_is_not_accepted_means_401_for_a_caller_and_502_for_the_gateway() {
    for answer in [
        refused(401, "invalid_client"),
        refused(400, "invalid_client"),
        Answer::text(401, "who?").with("WWW-Authenticate", "Basic realm=\"provider\""),
    ] {
        let responses = both(ONCE, &answer).await;
        assert_eq!(statuses(&responses), (401, 502), "{answer:?}");
        let [challenge] = responses[0].headers.all("www-authenticate")[..] else {
            panic!("one challenge: {responses:?}");
        };
        assert!(
            challenge.starts_with("Basic realm=\"carnet\""),
            "{challenge}"
        );
        assert_eq!(responses[1].headers.all("www-authenticate"), [""; 0]);
        assert!(!responses[0].text().contains("provider"));
    }
}

#[tokio::test]
async fn any_other_refusal_means_403_for_a_caller_and_502_for_the_gateway() {
    for answer in [
        refused(400, "invalid_scope"),
        refused(400, "invalid_request"),
        refused(400, "unauthorized_client"),
        refused(403, "access_denied"),
        Answer::text(404, "not here"),
    ] {
        let responses = both(ONCE, &answer).await;
        assert_eq!(statuses(&responses), (403, 502), "{answer:?}");
        assert!(!responses[0].text().contains("description"));
    }
}

#[tokio::test]
async fn claims_that_do_not_hold_mean_403_and_opaque_tokens_have_none() {
    let options = format!("{ONCE}, claims: 'Equals(`grp`, `admin`)'");
    for token in [
        jwt(&json!({"grp": "guest"})),
        jwt(&json!({})),
        "opaque".to_owned(),
    ] {
        let answer = granted(&token, Some(60));
        assert_eq!(
            statuses(&both(&options, &answer).await),
            (403, 403),
            "{token}"
        );
    }
}

// Holds HI-13.
#[tokio::test]
async fn callers_without_readable_credentials_get_401_and_nobody_is_asked() {
    let room = Room::new(ONCE, |_| granted("t", Some(60))).await;
    let good = basic("id", "secret");
    let long = basic("id", &"s".repeat(48 * 1024));
    for fields in [
        vec![],
        vec!["Authorization: Bearer x"],
        vec!["Authorization: Basic"],
        vec!["Authorization: Basic %%%"],
        vec!["Authorization: Basic  aWQ6c2Vj"],
        vec!["Authorization: Basic aWQ"],
        vec!["Authorization: Basic OnNlYw=="],
        vec!["Authorization: Basic aWQKOnNlYw=="],
        vec!["Authorization: Basic aWQ6c2UA"],
        vec![&long],
        vec![&good, &good],
        vec![&good, "Authorization: Bearer x"],
    ] {
        let response = room.get(&fields).await;
        assert_eq!(response.status, 401, "{fields:?}");
        assert_eq!(response.headers.all("www-authenticate").len(), 1);
    }
    assert_eq!((room.provider.count(), room.backend.count()), (0, 0));
}
