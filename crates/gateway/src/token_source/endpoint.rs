//! One call of a token endpoint, as an object: tests script it, the gateway sends it over
//! `upstream`.

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Position, Url};

use crate::upstream::{Client, Failure, FailureKind};

/// Larger answers are no token answers.
pub(crate) const MAX_ANSWER: usize = 1024 * 1024;

/// A token endpoint that can be called. Its URL and TLS options are its own affair.
pub(crate) trait TokenEndpoint: Send + Sync {
    /// Sends one POST and reads the whole answer. Follows no redirect and repeats nothing; who
    /// drops the future cancels the call.
    fn post(&self, call: Call) -> BoxFuture<'_, Result<Response<Bytes>, CallFailure>>;
}

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Value of `Authorization`, when the client shows itself there.
    pub(crate) authorization: Option<SecretString>,
    /// The body, a form.
    pub(crate) form: SecretString,
}

/// Why a call brought no answer. The texts are for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallFailure {
    /// No connection, or one that broke: another attempt may succeed.
    Transport(String),
    /// A limit of time below the exchange's own ended it.
    TimedOut,
    /// No HTTP, or more than [`MAX_ANSWER`].
    Garbled(String),
}

/// A token endpoint behind a URL.
pub(crate) struct HttpEndpoint {
    client: Client,
    uri: Uri,
    host: HeaderValue,
}

impl HttpEndpoint {
    /// The endpoint of a URL. The error is one sentence.
    pub(crate) fn new(url: &Url, client: Client) -> Result<Self, String> {
        let unusable = |_| format!("`{url}` cannot be used as the URL of a token endpoint");
        let host = url[Position::BeforeHost..Position::AfterPort].to_owned();
        // A user, a password or a fragment in the URL are no part of the request.
        let request = &url[Position::BeforePath..Position::AfterQuery];
        let uri = format!("{}://{host}{request}", url.scheme());
        Ok(Self {
            client,
            uri: uri.try_into().map_err(|_| unusable(()))?,
            host: host.try_into().map_err(|_| unusable(()))?,
        })
    }

    fn request(&self, call: &Call) -> Result<Request<Bytes>, CallFailure> {
        let mut request = Request::new(Bytes::from(call.form.expose_secret().to_owned()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if let Some(authorization) = &call.authorization {
            let mut value = HeaderValue::from_str(authorization.expose_secret())
                .map_err(|_| CallFailure::Garbled("the credentials fit no header".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}

impl TokenEndpoint for HttpEndpoint {
    fn post(&self, call: Call) -> BoxFuture<'_, Result<Response<Bytes>, CallFailure>> {
        async move {
            let request = self.request(&call)?;
            let answer = self.client.call(request, MAX_ANSWER).await;
            answer.map_err(|failure| CallFailure::of(&failure))
        }
        .boxed()
    }
}

impl CallFailure {
    fn of(failure: &Failure) -> Self {
        let cause = failure.to_string();
        match failure.kind {
            FailureKind::DialTimeout | FailureKind::HeaderTimeout => Self::TimedOut,
            FailureKind::TooLarge => Self::Garbled(cause),
            FailureKind::Broken if failure.is_malformed() => Self::Garbled(cause),
            FailureKind::Name
            | FailureKind::Connect
            | FailureKind::Tls
            | FailureKind::Broken
            | FailureKind::RequestBody
            | FailureKind::Loop
            | FailureKind::RequestMalformed => Self::Transport(cause),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use std::sync::Arc;

    use crate::upstream::Transport;

    fn request(url: &str, authorization: Option<&str>) -> Request<Bytes> {
        let client = Client::new(&Transport::default(), Arc::new(|_, _| None)).unwrap();
        let endpoint = HttpEndpoint::new(&Url::parse(url).unwrap(), client).unwrap();
        let call = Call {
            authorization: authorization.map(SecretString::from),
            form: SecretString::from("grant_type=client_credentials"),
        };
        endpoint.request(&call).unwrap()
    }

    #[test]
    fn a_url_becomes_a_target_and_a_host_without_what_is_private() {
        for (url, target, host) in [
            (
                "http://a.example/token",
                "http://a.example/token",
                "a.example",
            ),
            ("https://A.example:443", "https://a.example/", "a.example"),
            (
                "http://[::1]:4444/t?x=1",
                "http://[::1]:4444/t?x=1",
                "[::1]:4444",
            ),
            (
                "http://u:p@a.example:8080/t#f",
                "http://a.example:8080/t",
                "a.example:8080",
            ),
        ] {
            let request = request(url, None);
            assert_eq!(request.uri(), target);
            assert_eq!(request.headers()[HOST], host);
        }
    }

    #[test]
    fn credentials_in_a_request_do_not_print() {
        let request = request("http://a.example/token", Some("Basic aWQ6c2Vj"));
        assert_eq!(request.headers()[AUTHORIZATION], "Basic aWQ6c2Vj");
        assert!(!format!("{:?}", request.headers()).contains("aWQ6c2Vj"));
    }
}
