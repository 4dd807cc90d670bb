//! Requests that are sent a second time, and those that are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::get;
use crate::stand::{Stand, routes};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that answers the first request of each connection and, at the next one, does something
/// else and closes. Gives its URL and counts requests.
async fn good_once(then: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                for answer in [OK, then] {
                    if !matches!(stream.read(&mut buffer).await, Ok(1..)) {
                        return;
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (url, requests)
}

// Holds HT-30.
#[tokio::test]
async fn a_kept_connection_that_dies_costs_an_idempotent_request_nothing() {
    let (url, requests) = good_once(b"").await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    for _ in 0..20 {
        assert_eq!(get(&stand).await.status, 200);
    }
    // The first was new, each of the others met the one before it and then a new one.
    assert_eq!(requests.load(Ordering::SeqCst), 1 + 2 * 19);
}

// Holds HT-30.
#[tokio::test]
async fn what_was_answered_at_all_is_not_sent_again() {
    let (url, requests) = good_once(b"HTTP/1.1 200 OK\r\nno field\r\n\r\n").await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    assert_eq!(
        [get(&stand).await.status, get(&stand).await.status],
        [200, 502]
    );
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn retries_end_with_their_budget() {
    let (url, requests) = good_once(b"").await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    let mut lost = 0;
    for _ in 0..600 {
        lost += usize::from(get(&stand).await.status != 200);
    }
    let sent = requests.load(Ordering::SeqCst);
    assert!(lost > 0, "{sent} for 600");
    // 200 that are there at the start, a fifth, and ten for each second that this takes.
    assert!((600..1400).contains(&sent), "{sent} for 600");
}
