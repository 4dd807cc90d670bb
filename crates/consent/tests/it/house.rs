//! A scripted admin API, the application, and a browser that follows nothing.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use carnet_consent::Options;
use http::StatusCode;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What the admin API was asked, and what it answers next.
#[derive(Default)]
pub(crate) struct Script {
    asked: Mutex<Vec<String>>,
    answers: Mutex<VecDeque<Response>>,
}

/// Both applications; they stop when it is dropped.
pub(crate) struct House {
    pub(crate) script: Arc<Script>,
    address: SocketAddr,
    _stop: DropGuard,
}

/// An answer of the application.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

/// An answer of the admin API.
pub(crate) fn json(status: u16, body: &str) -> Response {
    let builder = Response::builder()
        .status(status)
        .header("Content-Type", "application/json");
    builder.body(Body::from(body.to_owned())).unwrap()
}

impl House {
    /// The application, told to find its admin API at `http://hydra.test:4445` and the answers of
    /// the latter.
    pub(crate) fn start(answers: impl IntoIterator<Item = Response>) -> Self {
        Self::start_with("http://hydra.test:4445", answers)
    }

    /// The same with another URL.
    pub(crate) fn start_with(url: &str, answers: impl IntoIterator<Item = Response>) -> Self {
        let script = Arc::new(Script::default());
        script.answers.lock().unwrap().extend(answers);
        let api = listener();
        let api_address = api.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = Router::new().fallback(play).with_state(Arc::clone(&script));
        tokio::spawn(async move {
            let api = tokio::net::TcpListener::from_std(api).unwrap();
            axum::serve(api, router).await.unwrap();
        });
        let options = Options {
            admin_url: url.parse().unwrap(),
            resolve: Arc::new(move |host, port| {
                (host == "hydra.test" && port == 4445).then_some(api_address)
            }),
        };
        let app = listener();
        let address = app.local_addr().unwrap();
        tokio::spawn(carnet_consent::serve(options, app, stop.clone()));
        Self {
            script,
            address,
            _stop: stop.drop_guard(),
        }
    }

    /// Opens a page of the application.
    pub(crate) async fn open(&self, path: &str) -> Page {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(path).header("Host", "app.test");
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        let location = parts
            .headers
            .get("location")
            .map(|l| l.to_str().unwrap().to_owned());
        Page {
            status: parts.status.as_u16(),
            location,
            text: String::from_utf8(text.to_vec()).unwrap(),
        }
    }
}

impl Script {
    /// The requests so far, each as `METHOD HOST TARGET BODY`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The scripted API.
async fn play(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 16).await.unwrap();
    let host = parts.headers["host"].to_str().unwrap();
    let body = std::str::from_utf8(&body).unwrap();
    let line = format!("{} {host} {} {body}", parts.method, parts.uri);
    script
        .asked
        .lock()
        .unwrap()
        .push(line.trim_end().to_owned());
    let answer = script.answers.lock().unwrap().pop_front();
    answer.unwrap_or_else(|| json(StatusCode::NOT_FOUND.as_u16(), "{}"))
}

/// A port of our own.
fn listener() -> TcpListener {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}
