//! The server over sockets.

use std::net::TcpListener;

use http_body_util::{BodyExt as _, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio_util::sync::CancellationToken;

use crate::server::{Room, tutorial};

#[tokio::test]
async fn both_ports_are_served_in_both_versions_of_http_and_end_when_told() {
    let room = Room::new(tutorial()).await;
    let shutdown = CancellationToken::new();
    let listen = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    };
    let ((public, public_at), (admin, admin_at)) = (listen(), listen());
    let (one, two) = (room.server.clone(), room.server.clone());
    let (until, and) = (shutdown.clone(), shutdown.clone());
    let public = tokio::spawn(async move { one.serve_public(public, until).await });
    let admin = tokio::spawn(async move { two.serve_admin(admin, and).await });
    for (address, path) in [(public_at, "/health/alive"), (admin_at, "/version")] {
        for is_http2 in [false, true] {
            let client: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new())
                .http2_only(is_http2)
                .build_http();
            let uri = format!("http://{address}{path}").parse().unwrap();
            let response = client.get(uri).await.unwrap();
            assert_eq!(response.status(), 200);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(body.starts_with(b"{"), "{body:?}");
        }
    }
    shutdown.cancel();
    public.await.unwrap().unwrap();
    admin.await.unwrap().unwrap();
}
