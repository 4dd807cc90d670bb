//! `errors`: pages of another service in the place of failures. That service is another one than
//! the route's: it gets neither the caller's credentials nor the gateway's, unless it is said so.

use std::sync::Arc;

use carnet_config::routing::middleware::Errors as Options;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderName};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::redirect::told_scheme;
use super::{Endpoint, Exchange, Middleware, Next};
use crate::body::{Body, Request, Response};
use crate::error::Fault;
use crate::respond;
use crate::service::{CREDENTIALS, KeepForwardedFor};

/// What Go's `url.QueryEscape` writes otherwise; a space becomes `+`.
const QUERY: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The middleware.
#[derive(Debug)]
pub(super) struct Errors {
    options: Options,
    service: Arc<dyn Endpoint>,
    /// Headers that the service gets; `None`: all but credentials.
    headers: Option<Vec<HeaderName>>,
}

impl Errors {
    /// The error is one sentence.
    pub(super) fn new(options: &Options, service: &Arc<dyn Endpoint>) -> Result<Self, String> {
        let names = options.error_request_headers.as_ref().map(|names| {
            let names = names.iter().map(|name| {
                HeaderName::try_from(name)
                    .map_err(|_| format!("`errorRequestHeaders`: `{name}` is no name of a header"))
            });
            names.collect()
        });
        Ok(Self {
            options: options.clone(),
            service: Arc::clone(service),
            headers: names.transpose()?,
        })
    }

    async fn pass(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let (asked, headers) = (url(&request, exchange), request.headers().clone());
        let response = next.run(request).await;
        let original = response.status();
        if !self.options.status.contain(original.as_u16()) {
            return Ok(response);
        }
        drop(response);
        let rewritten = self.options.status_rewrites.of(original.as_u16());
        let rewritten = rewritten.and_then(|status| StatusCode::from_u16(status).ok());
        let status = rewritten.unwrap_or(original);
        let page = self.page(&asked, status, original);
        let Some(page) = page else {
            return Ok(respond::with_status(status));
        };
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = Uri::from(page);
        *request.headers_mut() = self.forwarded(&headers);
        request.extensions_mut().insert(KeepForwardedFor);
        let page = Next::new(&[], self.service.as_ref(), exchange);
        let mut response = page.run(request).await;
        *response.status_mut() = status;
        exchange.note(|record| record.origin_status = Some(status));
        Ok(response)
    }

    /// Where the page is.
    fn page(&self, asked: &str, status: StatusCode, original: StatusCode) -> Option<PathAndQuery> {
        let query = self.options.query.trim_start_matches('/');
        let query = query
            .replace("{status}", status.as_str())
            .replace("{originalStatus}", original.as_str())
            .replace("{url}", &escaped(asked));
        format!("/{query}").parse().ok()
    }

    fn forwarded(&self, headers: &HeaderMap) -> HeaderMap {
        let mut forwarded = HeaderMap::new();
        let Some(names) = &self.headers else {
            headers.clone_into(&mut forwarded);
            let own = [CONTENT_LENGTH, EXPECT];
            let withheld = own.iter().chain(&CREDENTIALS);
            withheld.for_each(|name| drop(forwarded.remove(name)));
            return forwarded;
        };
        for name in names.iter().chain([&HOST]) {
            if forwarded.contains_key(name) {
                continue;
            }
            for value in headers.get_all(name) {
                forwarded.append(name, value.clone());
            }
        }
        forwarded
    }
}

/// What the client asked for.
fn url(request: &Request, exchange: &Exchange) -> String {
    let scheme = told_scheme(request, exchange);
    let host = request.headers().get(HOST).map(HeaderValue::to_str);
    let host = host.and_then(Result::ok).unwrap_or_default();
    let target = request.uri().path_and_query();
    format!(
        "{scheme}://{host}{}",
        target.map_or("/", PathAndQuery::as_str)
    )
}

/// As Go's `url.QueryEscape`.
fn escaped(text: &str) -> String {
    utf8_percent_encode(text, &QUERY)
        .to_string()
        .replace("%20", "+")
}

impl Middleware for Errors {
    fn kind(&self) -> &'static str {
        "errors"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(self.pass(request, exchange, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_escaped_as_go_escapes_them() {
        assert_eq!(escaped("/a~b?c=d e&f*"), "%2Fa~b%3Fc%3Dd+e%26f%2A");
    }
}
