//! `/echo`: a WebSocket that sends back what it receives.

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::response::{Response, empty, error};

/// The one version of the protocol (RFC 6455 section 4.2.1).
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// Upgrades the connection and echoes in the background, until either side ends or `shutdown`.
pub(crate) fn answer(
    mut request: Request<Incoming>,
    conversations: &TaskTracker,
    shutdown: &CancellationToken,
) -> Response {
    let Some(accept) = accept_key(&request) else {
        let mut response = error(StatusCode::BAD_REQUEST, "Bad Request");
        response
            .headers_mut()
            .insert(SEC_WEBSOCKET_VERSION, VERSION);
        return response;
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let shutdown = shutdown.clone();
    conversations.spawn(async move {
        tokio::select! {
            () = converse(upgrade) => {}
            () = shutdown.cancelled() => {}
        }
    });
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// The server's half of the handshake; `None`: this is no request for a WebSocket.
fn accept_key(request: &Request<Incoming>) -> Option<HeaderValue> {
    let headers = request.headers();
    let asked = request.method() == Method::GET
        && has_token(headers, &CONNECTION, "upgrade")
        && has_token(headers, &UPGRADE, "websocket")
        && headers.get(SEC_WEBSOCKET_VERSION) == Some(&VERSION);
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .filter(|key| asked && !key.is_empty())?;
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}

/// Whether a header that is a list holds a word, whatever its case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lists = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

/// Sends every message back. Pings and the end of the conversation are the library's.
async fn converse(upgrade: OnUpgrade) {
    let upgraded: Upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(cause) => {
            tracing::debug!(%cause, "connection was not upgraded");
            return;
        }
    };
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        let echoed = message.is_text() || message.is_binary();
        if echoed && socket.send(message).await.is_err() {
            return;
        }
    }
}
