//! The authority over the gateway's own client.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{HOST, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tokio::time::timeout;

use super::CertificatesResolver;
use crate::supplies::Supplies;
use crate::upstream::{Client, Tls, Transport};

/// Longer answers are nobody's: a chain of certificates is some kilobytes.
const MAX_ANSWER: usize = 1 << 20;
/// Traefik's limit of a request.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends requests to an authority.
#[derive(Clone)]
pub(super) struct AuthorityClient(Client);

impl AuthorityClient {
    /// The error is one sentence.
    pub(super) fn new(
        resolver: &CertificatesResolver,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let transport = Transport {
            tls: Tls {
                server_name: resolver.acme.ca_server_name.clone(),
                root_cas: resolver.authorities.clone(),
                ..Tls::default()
            },
            ..Transport::default()
        };
        let client = Client::new(&transport, std::sync::Arc::clone(&supplies.resolve));
        client.map(Self)
    }
}

impl HttpClient for AuthorityClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            // Whose body cannot fail.
            let body = body
                .collect()
                .await
                .map_or_else(|no| match no {}, |b| b.to_bytes());
            if let Some(host) = head.uri.authority() {
                let host = HeaderValue::from_str(host.as_str()).map_err(http::Error::from)?;
                head.headers.insert(HOST, host);
            }
            let call = client.call(Request::from_parts(head, body), MAX_ANSWER);
            let answer = timeout(PATIENCE, call).await.map_err(other)?;
            let answer = answer.map_err(|failure| other(failure.to_string()))?;
            Ok(BytesResponse::from(answer.map(Full::new)))
        })
    }
}

fn other(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Other(cause.into())
}
