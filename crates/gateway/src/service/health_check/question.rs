//! One question to one server.

use std::path::Path;
use std::time::Duration;

use carnet_config::routing::service::{HealthCheck, Mode};
use http::header::{HOST, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use url::Url;

use super::grpc;
use crate::body::{Body, Request};
use crate::service::Clients;
use crate::upstream::Destination;

/// Redirections that are followed, as Go's client does.
const MOST_REDIRECTIONS: usize = 10;

/// The URL of a server at a Unix socket.
const SOCKET: &str = "http://localhost/";

/// What a server is asked, and what is a good answer.
#[derive(Debug)]
pub(in crate::service) struct Question {
    options: HealthCheck,
    url: Url,
    method: Method,
    headers: HeaderMap,
    clients: Clients,
    /// Where the server is none of the network; it goes by the name of [`SOCKET`].
    socket: Option<Destination>,
}

impl Question {
    /// The question to a server at this URL. The error is one sentence.
    pub(super) fn new(
        options: &HealthCheck,
        server: &Url,
        clients: &Clients,
    ) -> Result<Self, String> {
        let wrong = |what: &str| format!("`{what}` of its healthCheck cannot be used");
        let socket = (server.scheme() == "unix").then(|| {
            let path = percent_decode_str(server.path()).decode_utf8_lossy();
            clients.http1.socket(Path::new(&*path))
        });
        let base = match &socket {
            Some(_) => Url::parse(SOCKET).map_err(|_| wrong("url"))?,
            None => server.clone(),
        };
        let mut url = base.join(&options.path).map_err(|_| wrong("path"))?;
        if let Some(scheme) = &options.scheme {
            // `Url::set_scheme` refuses to go from `http` to `h2c`.
            let text = url.as_str().replacen(url.scheme(), scheme, 1);
            url = text.parse().map_err(|_| wrong("scheme"))?;
        }
        if options.port.is_some() {
            url.set_port(options.port).map_err(|()| wrong("port"))?;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &options.headers {
            let name = HeaderName::try_from(name).map_err(|_| wrong("headers"))?;
            let value = HeaderValue::try_from(value).map_err(|_| wrong("headers"))?;
            headers.insert(name, value);
        }
        let host = match &options.hostname {
            Some(host) => host.clone(),
            None => authority(&url),
        };
        let host = HeaderValue::try_from(host).map_err(|_| wrong("hostname"))?;
        headers.insert(HOST, host);
        Ok(Self {
            options: options.clone(),
            url,
            method: options.method.parse().map_err(|_| wrong("method"))?,
            headers,
            clients: clients.clone(),
            socket,
        })
    }

    /// Time until it is asked again.
    pub(super) fn interval(&self, is_up: bool) -> Duration {
        match is_up {
            true => self.options.interval,
            false => self.options.unhealthy_interval,
        }
    }

    /// Asks. The error says what was wrong, for the log.
    pub(super) async fn ask(&self) -> Result<(), String> {
        let asked = async {
            match self.options.mode {
                Mode::Http => self.ask_http().await,
                Mode::Grpc => grpc::ask(&self.clients.http2, &self.url, &self.headers).await,
            }
        };
        match tokio::time::timeout(self.options.timeout, asked).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer in {:?}", self.options.timeout)),
        }
    }

    async fn ask_http(&self) -> Result<(), String> {
        let mut url = self.url.clone();
        let mut headers = self.headers.clone();
        for _ in 0..=MOST_REDIRECTIONS {
            let (status, location) = self.send(&url, &headers).await?;
            let next = location.filter(|_| self.options.follow_redirects && is_redirection(status));
            let Some(location) = next else {
                return self.judged(status);
            };
            let next = url.join(&location).map_err(|error| error.to_string())?;
            if authority(&next) != authority(&url) {
                // What the configuration says to one server is not for another.
                headers = HeaderMap::new();
                let host = HeaderValue::try_from(authority(&next));
                headers.insert(HOST, host.map_err(|error| error.to_string())?);
            }
            url = next;
        }
        Err("too many redirections".to_owned())
    }

    async fn send(
        &self,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<(StatusCode, Option<String>), String> {
        let (client, scheme) = match url.scheme() {
            "h2c" => (&self.clients.http2, "http"),
            scheme => (&self.clients.http1, scheme),
        };
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(authority(url))
            .path_and_query(target);
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri.build().map_err(|error| error.to_string())?;
        self.method.clone_into(request.method_mut());
        headers.clone_into(request.headers_mut());
        let response = match &self.socket {
            Some(socket) if authority(url) == authority(&self.url) => socket.send(request).await,
            _ => client.send(request).await,
        };
        let response = response.map_err(|failure| failure.to_string())?;
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        Ok((response.status(), location.map(str::to_owned)))
    }

    fn judged(&self, status: StatusCode) -> Result<(), String> {
        let is_well = match self.options.status {
            Some(wanted) => status.as_u16() == wanted,
            None => (200..400).contains(&status.as_u16()),
        };
        is_well
            .then_some(())
            .ok_or_else(|| format!("it answered {}", status.as_u16()))
    }
}

fn is_redirection(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

pub(super) fn authority(url: &Url) -> String {
    url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}
