//! A store that is not as it should be. What a store is good for is shown with real ones: `faults/`.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use carnet_testkit::token_endpoint::granted;
use tokio::time::Instant;

use super::Room;

/// Much less than an exchange may take, and much more than a store may.
const SOON: Duration = Duration::from_secs(3);

fn store(address: SocketAddr, more: &str) -> String {
    format!("store: {{secret: 0123456789abcdef, redis: {{endpoints: '{address}'{more}}}}}")
}

/// A port where nobody listens.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

// Holds F09.
#[tokio::test]
async fn a_store_that_is_not_there_or_says_nothing_is_nobodys_trouble() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [nobody(), silent.local_addr().unwrap()] {
        let room = Room::new(&store(address, ""), |_| granted("t", Some(3600))).await;
        let began = Instant::now();
        for id in ["one", "other", "one"] {
            assert_eq!(room.get_as(id, "secret").await.status, 200);
        }
        assert!(began.elapsed() < SOON);
        assert_eq!((room.provider.count(), room.backend.count()), (2, 3));
    }
}

#[tokio::test]
async fn material_that_cannot_be_used_closes_the_middleware() {
    let room = Room::new("", |_| granted("t", Some(3600))).await;
    for (material, sentence) in [
        ("ca: '-----BEGIN CERTIFICATE-----'", "trusted certificates"),
        (
            "cert: '-----BEGIN CERTIFICATE-----', key: CANARY",
            "the certificates of `store.redis.tls`",
        ),
    ] {
        let options = store(nobody(), &format!(", tls: {{{material}}}"));
        let said = room.offer(&room.provider.url("/oauth2/token"), &options);
        assert!(
            said.contains(sentence) && !said.contains("CANARY"),
            "{said}"
        );
    }
}
