//! The authority over the gateway's own client.

use std::pin::Pin;
use std::sync::Arc;
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
/// Sends requests to an authority.
#[derive(Clone)]
pub(super) struct AuthorityClient {
    client: Client,
    /// Limit of a request.
    patience: Duration,
}

impl AuthorityClient {
    /// The error is one sentence.
    pub(super) fn new(
        resolver: &CertificatesResolver,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let acme = &resolver.acme;
        let transport = Transport {
            tls: Tls {
                server_name: acme.ca_server_name.clone(),
                root_cas: resolver.authorities.clone(),
                adds_system_roots: acme.ca_system_cert_pool,
                ..Tls::default()
            },
            response_header_timeout: acme.client_response_header_timeout,
            ..Transport::default()
        };
        Ok(Self {
            client: Client::new(&transport, Arc::clone(&supplies.resolve))?,
            patience: acme.client_timeout,
        })
    }
}

impl HttpClient for AuthorityClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let Self { client, patience } = self.clone();
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
            let answer = timeout(patience, call).await.map_err(other)?;
            let answer = answer.map_err(|failure| other(failure.to_string()))?;
            Ok(BytesResponse::from(answer.map(Full::new)))
        })
    }
}

fn other(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Other(cause.into())
}
