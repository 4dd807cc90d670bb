//! The HTTP side of the commands that ask a server: Hydra's admin and public API.
//!
//! Knows paths, status codes and errors; what an answer means is the command's. `client_auth.rs` is
//! how a client presents itself at the public port.

use std::time::Duration;

use reqwest::header::{ACCEPT, HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::args::ApiFlags;
use crate::output::Failure;
use crate::process::Process;
use crate::report;

mod client_auth;

pub(crate) use client_auth::{credentials, post_as_client};

/// How long a server may take, Hydra's own limit.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The environment variable that names the server.
const ENDPOINT: &str = "ORY_SDK_URL";

/// A server that answers commands.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    base: Url,
    headers: HeaderMap,
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    url: Url,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// An answer of whatever kind, or none.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The server refused.
    Refused {
        /// Its status code.
        status: StatusCode,
        /// What it said.
        body: Vec<u8>,
    },
    /// No answer came.
    Failed(Failure),
}

impl Api {
    /// The server the flags or the environment name.
    ///
    /// # Errors
    /// When there is none, or a flag is malformed.
    pub(crate) fn open(flags: &ApiFlags, process: &Process) -> Result<Self, Failure> {
        let mut base = endpoint(flags, process)?;
        let mut headers = flags
            .headers
            .iter()
            .map(|text| header(text))
            .collect::<Result<HeaderMap, _>>()?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut client = Client::builder()
            .user_agent(concat!("carnet/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .pool_max_idle_per_host(0)
            .no_proxy()
            .tls_danger_accept_invalid_certs(flags.skip_tls_verify);
        // A name this process knows by itself stays the name of the server, at another address.
        let host = base.host_str().unwrap_or_default().to_owned();
        let port = base.port_or_known_default().unwrap_or_default();
        if let Some(address) = (process.resolve)(&host, port) {
            client = client.resolve(&host, address);
            let authority = base.authority().rsplit('@').next().unwrap_or_default();
            headers.extend(
                HeaderValue::from_str(authority)
                    .ok()
                    .map(|value| (HOST, value)),
            );
            base.set_port(Some(address.port())).ok();
        }
        let client = client
            .build()
            .map_err(|error| Failure::new(format!("cannot make TLS connections: {error}")))?;
        Ok(Self {
            client,
            base,
            headers,
        })
    }

    /// The same for an address elsewhere, which a flag names.
    ///
    /// # Errors
    /// When it is no address.
    pub(crate) fn elsewhere(&self, address: &str) -> Result<Self, Failure> {
        let mut headers = self.headers.clone();
        headers.remove(HOST);
        Ok(Self {
            client: self.client.clone(),
            base: server_url(address)?,
            headers,
        })
    }

    /// An address of the server, for others to open.
    pub(crate) fn address(&self, path: &[&str]) -> String {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.into()
    }

    /// A request; the parts of its path are escaped here.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.client
            .request(method, url)
            .headers(self.headers.clone())
    }

    /// Gets JSON.
    ///
    /// # Errors
    /// When the server refuses or does not answer, or the answer is no such JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        send(self.request(Method::GET, path)).await?.json()
    }

    /// Sends JSON and reads JSON.
    ///
    /// # Errors
    /// When the server refuses or does not answer, or the answer is no such JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &(impl Serialize + Sync),
    ) -> Result<T, Failure> {
        send(self.request(Method::POST, path).json(body))
            .await?
            .json()
    }

    /// Deletes.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        send(self.request(Method::DELETE, path)).await.map(drop)
    }
}

impl Answer {
    /// Reads the body.
    ///
    /// # Errors
    /// When it is no such JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::new(format!(
                "the answer of {} is not what this command expects: {error}; is --endpoint the \
                 right port of the server?",
                self.url
            ))
        })
    }
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Failed(failure) => failure,
            Unanswered::Refused { status, body } => Self::verbatim(refusal(status, &body)),
        }
    }
}

/// Sends a request and takes a successful answer.
///
/// # Errors
/// When the server refuses or does not answer.
pub(crate) async fn send(request: RequestBuilder) -> Result<Answer, Failure> {
    Ok(try_send(request).await?)
}

/// Sends a request.
///
/// # Errors
/// When the server refuses or does not answer; what it said is kept.
pub(crate) async fn try_send(request: RequestBuilder) -> Result<Answer, Unanswered> {
    let failed = |error: reqwest::Error| Unanswered::Failed(unreachable_server(&error));
    let response = request.send().await.map_err(failed)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let url = without_password(response.url());
    let body = response.bytes().await.map_err(failed)?.to_vec();
    if status.is_success() {
        Ok(Answer { url, headers, body })
    } else {
        Err(Unanswered::Refused { status, body })
    }
}

/// The server's own words, as JSON for programs, and a sentence for people.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let words = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(json) => report::pretty(&json).trim_end().to_owned(),
        Err(_) => format!("HTTP {status}\n{}", plain(body))
            .trim_end()
            .to_owned(),
    };
    let hint = match status {
        StatusCode::NOT_FOUND if !is_of_the_api(body) => {
            " Is --endpoint the admin port, such as http://127.0.0.1:4445?"
        }
        _ => "",
    };
    format!("{words}\nFailed to execute API request, see error above.{hint}")
}

/// Whether an error is one of the admin API, whose codes are texts.
fn is_of_the_api(body: &[u8]) -> bool {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    json.is_some_and(|json| json["error"].is_string())
}

/// A body that is no JSON, shortened, with nothing in it that moves the cursor.
fn plain(body: &[u8]) -> String {
    const LIMIT: usize = 2000;
    String::from_utf8_lossy(body)
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(LIMIT)
        .collect()
}

fn endpoint(flags: &ApiFlags, process: &Process) -> Result<Url, Failure> {
    let text = match &flags.endpoint {
        Some(text) => text,
        None => process.env.get(ENDPOINT).filter(|text| !text.is_empty()).ok_or_else(|| {
            Failure::new(format!(
                "no server is named: set --endpoint, such as --endpoint http://127.0.0.1:4445, or \
                 environment variable {ENDPOINT}"
            ))
        })?,
    };
    server_url(text)
}

fn server_url(text: &str) -> Result<Url, Failure> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(Failure::new(format!(
            "the endpoint `{text}` is no URL of a server: write it with its scheme, such as \
             http://127.0.0.1:4445"
        ))),
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let parsed = text.split_once(':').and_then(|(name, value)| {
        let mut value = HeaderValue::from_str(value.trim()).ok()?;
        value.set_sensitive(true);
        Some((name.trim().parse().ok()?, value))
    });
    parsed.ok_or_else(|| {
        Failure::new("a --http-header is not understood: write it as --http-header 'Name: value'")
    })
}

/// An endpoint may carry a password, which is not to be shown.
fn without_password(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_password(None).ok();
    url
}

/// Why there was no answer, from the innermost cause, with the address and what to look at.
fn unreachable_server(error: &reqwest::Error) -> Failure {
    let server = error.url().map_or_else(
        || "the server".to_owned(),
        |url| without_password(url).to_string(),
    );
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let why = if error.is_timeout() {
        format!("no answer within {} seconds", TIMEOUT.as_secs())
    } else {
        cause.to_string()
    };
    Failure::new(format!(
        "cannot ask {server}: {why}; is the server running, and is --endpoint its address?"
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use carnet_testkit::Server;
    use carnet_testkit::server::Answer;
    use tokio::time::Instant;

    use super::*;
    use crate::boot;

    #[tokio::test]
    async fn a_name_this_process_knows_is_asked_at_its_address_under_its_name() {
        boot::install_crypto();
        let server = Server::start(|_| Answer::json(200, &"pong".into()))
            .await
            .unwrap();
        let address = server.address();
        let process = Process {
            resolve: Arc::new(move |host, port| {
                (host == "hydra.hydra.svc" && port == 4445).then_some(address)
            }),
            ..boot::process(Instant::now().into_std())
        };
        let flags = ApiFlags {
            endpoint: Some("http://hydra.hydra.svc:4445/base/".to_owned()),
            ..ApiFlags::default()
        };
        let api = Api::open(&flags, &process).unwrap();
        assert_eq!(api.get::<String>(&["a b"]).await.unwrap(), "pong");
        let seen = &server.seen()[0];
        assert_eq!(seen.target, "/base/a%20b");
        assert_eq!(seen.headers.only("host"), Some("hydra.hydra.svc:4445"));
    }

    #[test]
    fn a_refusal_is_the_servers_json_and_one_sentence() {
        let text = refusal(
            StatusCode::NOT_FOUND,
            br#"{"error":"gone","error_description":""}"#,
        );
        assert_eq!(
            text,
            "{\n  \"error\": \"gone\",\n  \"error_description\": \"\"\n}\n\
             Failed to execute API request, see error above."
        );
        let elsewhere = br#"{"error":{"code":404,"message":"Not Found"}}"#;
        let text = refusal(StatusCode::NOT_FOUND, elsewhere);
        assert!(text.contains("Is --endpoint the admin port"), "{text}");
        let text = refusal(StatusCode::BAD_GATEWAY, b"<h1>\x1b[2Jno</h1>");
        assert!(
            text.starts_with("HTTP 502 Bad Gateway\n<h1>[2Jno</h1>\n"),
            "{text}"
        );
    }

    #[test]
    fn a_header_has_a_name_and_a_value() {
        let (name, value) = header("X-A: b:c").unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-a", "b:c"));
        for text in ["nocolon", ": b", "a b: c", "X-A: b\r\nX-B: c"] {
            assert!(header(text).is_err(), "{text}");
        }
    }
}
