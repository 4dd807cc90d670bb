//! Calls to Hydra's admin API, on the paths of its first version (without `/admin`), which every
//! Hydra understands: older ones by a redirect, which changes nothing but the path.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, LOCATION};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use url::form_urlencoded::byte_serialize;
use url::{Host, Position, Url};

use crate::failure::{Failure, Redirect};
use crate::serve::{Options, Resolve};

/// What a browser waits for.
#[derive(Clone, Copy)]
pub(crate) enum Flow {
    Login,
    Consent,
    Logout,
}

impl Flow {
    /// The word of the flow in paths and parameters.
    fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Consent => "consent",
            Self::Logout => "logout",
        }
    }

    /// The challenge of the page's query; an empty one is none.
    pub(crate) fn challenge(self, given: Option<String>) -> Result<String, Failure> {
        let missing = || Failure::NoChallenge(format!("{}_challenge", self.word()));
        given
            .filter(|challenge| !challenge.is_empty())
            .ok_or_else(missing)
    }
}

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 1 << 20;

/// The admin API.
pub(crate) struct Admin {
    /// Path before the API's own, without a slash at its end.
    base: String,
    host: String,
    port: u16,
    authority: HeaderValue,
    resolve: Resolve,
}

/// What is read of every acceptance's answer.
#[derive(serde::Deserialize)]
struct Accepted {
    redirect_to: String,
}

impl Admin {
    /// # Errors
    /// When the URL is none of plain HTTP.
    pub(crate) fn new(options: Options) -> io::Result<Self> {
        let Options { admin_url, resolve } = options;
        let refuse = || {
            let text = "the admin URL must begin with http:// and name a host";
            io::Error::new(io::ErrorKind::InvalidInput, text)
        };
        let host = match admin_url.host().filter(|_| admin_url.scheme() == "http") {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(refuse()),
        };
        let authority = &admin_url[Position::BeforeHost..Position::AfterPort];
        let authority = HeaderValue::try_from(authority).map_err(|_| refuse())?;
        Ok(Self {
            base: admin_url.path().trim_end_matches('/').to_owned(),
            host,
            port: admin_url.port_or_known_default().unwrap_or(80),
            authority,
            resolve,
        })
    }

    /// What is asked of this application.
    pub(crate) async fn request<T: DeserializeOwned>(
        &self,
        flow: Flow,
        challenge: &str,
    ) -> Result<T, Failure> {
        self.call(
            Method::GET,
            &path(flow, ""),
            &query(flow, challenge),
            Bytes::new(),
        )
        .await
    }

    /// Says yes; gives where the browser goes next.
    pub(crate) async fn accept(
        &self,
        flow: Flow,
        challenge: &str,
        acceptance: &impl Serialize,
    ) -> Result<Redirect, Failure> {
        let path = path(flow, "/accept");
        let garbled = |cause: String| Failure::Garbled {
            call: format!("PUT {path}"),
            cause,
        };
        let body = serde_json::to_vec(acceptance).map_err(|cause| garbled(cause.to_string()))?;
        let query = query(flow, challenge);
        let accepted: Accepted = self.call(Method::PUT, &path, &query, body.into()).await?;
        // A line break in it would be a header of its own.
        let location = HeaderValue::try_from(accepted.redirect_to);
        location
            .map(Redirect)
            .map_err(|_| garbled("redirect_to is no URL".to_owned()))
    }

    /// One call, or two when the first is redirected to another path.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &str,
        body: Bytes,
    ) -> Result<T, Failure> {
        let call = format!("{method} {path}");
        let target = format!("{}{path}?{query}", self.base);
        let calls = async {
            let answer = self.send(&method, &target, body.clone()).await?;
            match moved_to(&answer) {
                Some(target) => self.send(&method, &target, body).await,
                None => Ok(answer),
            }
        };
        let answer = tokio::time::timeout(TIMEOUT, calls)
            .await
            .map_err(|_| Failure::Late)??;
        if answer.status() != StatusCode::OK {
            return Err(Failure::Refused {
                status: answer.status(),
                call,
            });
        }
        serde_json::from_slice(answer.body()).map_err(|cause| Failure::Garbled {
            call,
            cause: cause.to_string(),
        })
    }

    /// Sends one request over a connection of its own: logins are rare.
    async fn send(
        &self,
        method: &Method,
        target: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, Failure> {
        let stream = match (self.resolve)(&self.host, self.port) {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect((self.host.as_str(), self.port)).await,
        };
        let io = TokioIo::new(stream.map_err(unreachable)?);
        let (mut sender, connection) = http1::handshake(io).await.map_err(unreachable)?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = target.parse().map_err(unreachable)?;
        request.headers_mut().insert(HOST, self.authority.clone());
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let exchange = async {
            let (parts, body) = sender
                .send_request(request)
                .await
                .map_err(unreachable)?
                .into_parts();
            let body = Limited::new(body, MAX_ANSWER)
                .collect()
                .await
                .map_err(unreachable)?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        // The exchange needs the connection to be driven beside it, and no longer.
        tokio::select! {
            answer = exchange => answer,
            Err(cause) = connection => Err(unreachable(cause)),
        }
    }
}

/// The path of a flow's request.
fn path(flow: Flow, verb: &str) -> String {
    format!("/oauth2/auth/requests/{}{verb}", flow.word())
}

/// The query that names a flow's request.
fn query(flow: Flow, challenge: &str) -> String {
    let challenge: String = byte_serialize(challenge.as_bytes()).collect();
    format!("{}_challenge={challenge}", flow.word())
}

/// Path and query of a redirect that keeps method and body. Its host is ignored: this application
/// speaks with the admin API that it was given and with nobody else.
fn moved_to(answer: &Response<Bytes>) -> Option<String> {
    let kept = [
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    let location = answer
        .headers()
        .get(LOCATION)
        .filter(|_| kept.contains(&answer.status()))?;
    let location = location.to_str().ok()?;
    if location.starts_with('/') {
        return Some(location.to_owned());
    }
    let url = Url::parse(location).ok()?;
    Some(url[Position::BeforePath..Position::AfterQuery].to_owned())
}

/// A connection that failed before there was an answer.
fn unreachable(cause: impl Display) -> Failure {
    Failure::Unreachable(cause.to_string())
}
