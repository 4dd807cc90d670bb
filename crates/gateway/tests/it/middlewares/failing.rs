//! What stands before services that fail: another attempt, another page, nothing at all.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carnet_testkit::client::Response;
use carnet_testkit::server::{Answer, Request};
use carnet_testkit::{Server, client};

use super::{document, seen};
use crate::stand::{Stand, Whoami};

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// A backend that fails so often before it does not.
async fn ill_for(count: usize) -> Server {
    let asked = AtomicUsize::new(0);
    let answer = move |_: &Request| match asked.fetch_add(1, Ordering::SeqCst) {
        before if before < count => Answer::text(503, "ill"),
        _ => Answer::text(200, "well"),
    };
    Server::start(answer).await.unwrap()
}

async fn before(middlewares: &[&str], backend: &Server) -> Stand {
    Stand::new(&document(middlewares, &backend.url(""))).await
}

async fn post(stand: &Stand, body: &str) -> Response {
    let length = body.len();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n\
         {body}"
    );
    client::send(stand.address, request.as_bytes())
        .await
        .unwrap()
}

async fn get(stand: &Stand) -> Response {
    stand.get("a.test", &[]).await
}

// Holds HT-30.
#[tokio::test]
async fn a_server_that_nobody_reaches_costs_a_request_nothing_whatever_its_method() {
    let backend =
        Server::start(|request| Answer::text(200, &String::from_utf8_lossy(&request.body)));
    let backend = backend.await.unwrap();
    let yaml = document(&["{retry: {attempts: 2}}"], &backend.url("")).replace(
        "servers: [",
        &format!("servers: [{{url: 'http://{}'}}, ", nobody()),
    );
    let stand = Stand::new(&yaml).await;
    for number in 0..6 {
        let body = format!("body {number}");
        let response = post(&stand, &body).await;
        assert_eq!((response.status, response.text()), (200, body));
    }
    assert_eq!(backend.count(), 6);
}

// Holds HT-30.
#[tokio::test]
async fn what_a_server_was_told_is_not_told_again_unless_its_status_is_listed() {
    for (options, failures, method, status, asked) in [
        ("attempts: 3", 1, "GET", 503, 1),
        ("attempts: 3, status: ['500-599']", 2, "GET", 200, 3),
        ("attempts: 3, status: ['500-599']", 5, "GET", 503, 3),
        ("attempts: 3, status: ['404']", 1, "GET", 503, 1),
        ("attempts: 3, status: ['500-599']", 1, "POST", 503, 1),
        (
            "attempts: 3, status: [503], retryNonIdempotentMethod: true",
            1,
            "POST",
            200,
            2,
        ),
        ("attempts: 1, status: [503]", 1, "GET", 503, 1),
        (
            "attempts: 3, status: [503], maxRequestBodyBytes: 4, retryNonIdempotentMethod: true",
            1,
            "POST",
            503,
            1,
        ),
    ] {
        let backend = ill_for(failures).await;
        let stand = before(&[&format!("{{retry: {{{options}}}}}")], &backend).await;
        let response = match method {
            "POST" => post(&stand, "hello").await,
            _ => get(&stand).await,
        };
        assert_eq!(
            (response.status, backend.count()),
            (status, asked),
            "{options}"
        );
        let bodies = backend.seen().into_iter().map(|request| request.body);
        let expected: &[u8] = if method == "POST" { b"hello" } else { b"" };
        assert!(bodies.into_iter().all(|body| body == expected), "{options}");
    }
}

#[tokio::test]
async fn options_of_retry_that_mean_nothing_close_it() {
    let backend = ill_for(0).await;
    for options in [
        "",
        "attempts: 0",
        "attempts: 2, disableRetryOnNetworkError: true",
        "attempts: 2, status: [teapot]",
        "attempts: 2, status: ['600']",
    ] {
        let stand = before(&[&format!("{{retry: {{{options}}}}}")], &backend).await;
        assert_eq!(get(&stand).await.status, 503, "{options}");
    }
    assert_eq!(backend.count(), 0);
}

// Holds F15.
#[tokio::test]
async fn attempts_end_with_their_budget() {
    let backend = ill_for(usize::MAX).await;
    let options = "{retry: {attempts: 4, status: [503]}}";
    let stand = before(&[options], &backend).await;
    for _ in 0..400 {
        assert_eq!(get(&stand).await.status, 503);
    }
    // Two hundred that are there at the start, a fifth, ten a second; not four times as many.
    let asked = backend.count();
    assert!((400..900).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_page_takes_the_place_of_a_failure_and_the_status_stays_or_is_another() {
    let backend = Server::start(|request| {
        let status = request.target[1..4].parse().unwrap();
        Answer::text(status, "raw").with("X-Raw", "yes")
    });
    let backend = backend.await.unwrap();
    let pages = Whoami::start();
    let options = "{errors: {status: ['404', '500-599'], service: pages, \
                   statusRewrites: {'502-504': 500, '404': 410}, \
                   query: '/{status}/{originalStatus}?u={url}'}}";
    let yaml = document(&[options], &backend.url(""))
        + &format!(
            "    pages: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
            pages.url
        );
    let stand = Stand::new(&yaml).await;
    for (asked, status, line) in [
        ("/200", 200, ""),
        ("/403", 403, ""),
        (
            "/404",
            410,
            "GET /410/404?u=http%3A%2F%2Fa.test%2F404 HTTP/1.1",
        ),
        (
            "/501?a=b",
            501,
            "GET /501/501?u=http%3A%2F%2Fa.test%2F501%3Fa%3Db HTTP/1.1",
        ),
        (
            "/503",
            500,
            "GET /500/503?u=http%3A%2F%2Fa.test%2F503 HTTP/1.1",
        ),
    ] {
        let response = stand
            .ask(&format!("POST {asked} HTTP/1.1\nHost: a.test"))
            .await;
        assert_eq!(response.status, status, "{asked}");
        match line {
            "" => assert_eq!(response.text(), "raw"),
            line => {
                assert!(response.text().contains(line), "{}", response.text());
                assert_eq!(response.headers.only("x-raw"), None);
                assert_eq!(seen(&response, "Host").as_deref(), Some("a.test"));
            }
        }
    }
}

/// The service with the pages is another than the route's, and Traefik sent it credentials
/// (CVE-2026-41181).
// Holds HI-14, CVE-2026-41181.
#[tokio::test]
async fn error_pages_get_no_credentials_unless_it_is_said_so() {
    let backend = ill_for(usize::MAX).await;
    let pages = Server::start(|_| Answer::text(200, "page")).await.unwrap();
    let ask = "GET / HTTP/1.1\nHost: a.test\nAuthorization: Basic Y2FuYXJ5OmNhbmFyeQ==\n\
               Cookie: canary=1\nProxy-Authorization: canary\nX-A: b";
    for (more, listed, others) in [
        ("", 0, 1),
        (", errorRequestHeaders: []", 0, 0),
        (", errorRequestHeaders: [authorization, Cookie]", 1, 0),
    ] {
        let options = format!("{{errors: {{status: [503], service: pages{more}}}}}");
        let yaml = document(&[&options], &backend.url(""))
            + &format!(
                "    pages: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
                pages.url("")
            );
        let stand = Stand::new(&yaml).await;
        let response = stand.ask(ask).await;
        assert_eq!((response.status, response.text().as_str()), (503, "page"));
        let got = pages.seen().pop().unwrap().headers;
        let count = |name: &str| got.all(name).len();
        assert_eq!(
            [count("authorization"), count("cookie")],
            [listed; 2],
            "{more}"
        );
        assert_eq!(
            (count("proxy-authorization"), count("x-a")),
            (0, others),
            "{more}"
        );
    }
}

#[tokio::test]
async fn pages_of_a_service_that_is_not_there_close_the_routers() {
    let backend = ill_for(0).await;
    let stand = before(&["{errors: {status: [503], service: nobody}}"], &backend).await;
    assert_eq!(get(&stand).await.status, 503);
    assert_eq!(backend.count(), 0);
}

#[tokio::test]
async fn a_circuit_opens_when_its_condition_holds_and_nobody_is_asked_then() {
    for (expression, opens) in [
        ("ResponseCodeRatio(500, 600, 0, 600) > 0.5", true),
        ("ResponseCodeRatio(500, 503, 0, 600) > 0.5", false),
        ("NetworkErrorRatio() > 0.1", false),
        (
            "NetworkErrorRatio() < 0.1 && !(LatencyAtQuantileMS(50.0) > 60000)",
            true,
        ),
    ] {
        let backend = ill_for(usize::MAX).await;
        let options = format!(
            "{{circuitBreaker: {{expression: '{expression}', fallbackDuration: 1h, \
             responseCode: 418}}}}"
        );
        let stand = before(&[&options], &backend).await;
        assert_eq!(get(&stand).await.status, 503);
        match opens {
            // It counts when it has ended, which the client may see first.
            true => {
                let open = async { while get(&stand).await.status != 418 {} };
                tokio::time::timeout(Duration::from_secs(20), open)
                    .await
                    .unwrap();
                let asked = backend.count();
                assert_eq!(get(&stand).await.text(), "I'm a teapot");
                assert_eq!(backend.count(), asked);
            }
            false => {
                assert_eq!(get(&stand).await.status, 503);
                assert_eq!(backend.count(), 2);
            }
        }
    }
}

#[tokio::test]
async fn an_expression_that_cannot_be_read_closes_the_breaker() {
    let backend = ill_for(0).await;
    for expression in [
        "",
        "Ratio() > 1",
        "NetworkErrorRatio()",
        "NetworkErrorRatio() > x",
    ] {
        let options = format!("{{circuitBreaker: {{expression: '{expression}'}}}}");
        let stand = before(&[&options], &backend).await;
        assert_eq!(get(&stand).await.status, 503, "{expression}");
    }
    assert_eq!(backend.count(), 0);
}

#[tokio::test]
async fn a_buffered_request_is_sent_again_as_its_expression_says() {
    for (expression, failures, status, asked) in [
        ("ResponseCode() == 503", 2, 200, 3),
        ("ResponseCode() == 503 && Attempts() <= 2", 5, 503, 3),
        ("IsNetworkError()", 1, 503, 1),
        ("!IsNetworkError() && ResponseCode() >= 500", 1, 200, 2),
        ("ResponseCode() == 503", 50, 503, 11),
    ] {
        let backend = ill_for(failures).await;
        let options = format!("{{buffering: {{retryExpression: '{expression}'}}}}");
        let stand = before(&[&options], &backend).await;
        let response = post(&stand, "hello").await;
        assert_eq!(
            (response.status, backend.count()),
            (status, asked),
            "{expression}"
        );
        assert!(
            backend
                .seen()
                .iter()
                .all(|request| request.body == b"hello")
        );
    }
}

/// Half of the answers are failures, many clients ask at the same time, each failure is tried again
/// and what fails all the same gets a page: nobody sees a raw failure, no page is another's.
#[tokio::test]
async fn pages_and_attempts_around_a_failing_service_hold_under_load() {
    let asked = Arc::new(AtomicUsize::new(0));
    let backend = Server::start({
        let asked = Arc::clone(&asked);
        move |request| match asked.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => Answer::text(503, "raw"),
            _ => Answer::text(200, &request.target),
        }
    });
    let backend = backend.await.unwrap();
    let pages = Server::start(|request| Answer::text(200, &request.target))
        .await
        .unwrap();
    let errors = "{errors: {status: [503], service: pages, query: '/page?u={url}'}}";
    let yaml = document(
        &[errors, "{retry: {attempts: 3, status: [503]}}"],
        &backend.url(""),
    ) + &format!(
        "    pages: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
        pages.url("")
    );
    let stand = Stand::new(&yaml).await;
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..20 {
        let address = stand.address;
        clients.spawn(async move {
            let mut pages = 0;
            for turn in 0..20 {
                let request = format!(
                    "GET /{number}-{turn} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
                );
                let response = client::send(address, request.as_bytes()).await.unwrap();
                let expected = match response.status {
                    200 => format!("/{number}-{turn}"),
                    503 => format!("/page?u=http%3A%2F%2Fa.test%2F{number}-{turn}"),
                    status => panic!("{status}"),
                };
                assert_eq!(response.text(), expected);
                pages += usize::from(response.status == 503);
            }
            pages
        });
    }
    let shown: usize = clients.join_all().await.into_iter().sum();
    assert_eq!(pages.count(), shown);
    // Attempts are for the few: a fifth of the requests and those that were saved.
    assert!(asked.load(Ordering::SeqCst) < 400 + 80 + 300);
}
