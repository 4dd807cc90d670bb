//! Where Bearer tokens come from: credentials in, a token out, asked for once and kept while fresh.
//!
//! Knows OAuth's client_credentials grant and nothing of requests, routes or configuration files.
//! [`TokenSource`] is the way in; `flights` keeps and shares, `exchange` asks, `endpoint` is the
//! call itself.

use std::sync::Arc;
use std::time::Duration;

use carnet_config::routing::middleware::OAuthClientCredentials;
use carnet_oauth::client_auth::{Credentials, Method};
use carnet_oauth::{Clock, Random};
use futures_util::FutureExt as _;
use url::Url;

mod backoff;
mod endpoint;
mod exchange;
mod fault;
mod flights;
mod key;
mod methods;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use endpoint::{HttpEndpoint, TokenEndpoint};
pub(crate) use fault::TokenFault;
pub(crate) use token::Token;

use exchange::Exchange;
use flights::Flights;
use key::Hasher;
use methods::Methods;

/// What an exchange ends with, for everybody who waited for it.
type Outcome = Result<Arc<Token>, TokenFault>;

/// What is asked for, where and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    url: Url,
    audience: Option<String>,
    scopes: Vec<String>,
    /// The method to try first.
    first_method: Method,
    /// Bounds the whole exchange.
    timeout: Duration,
    max_retries: u32,
    is_cached: bool,
    /// Greatest age of a kept token.
    max_age: Duration,
}

impl Options {
    /// The part of a middleware's options that decides about tokens. The gateway's own clients
    /// have the default method of most servers, Basic; clients that show themselves to the
    /// gateway are first tried with the other one, as the tutorial registers them.
    pub(crate) fn of(middleware: &OAuthClientCredentials) -> Self {
        Self {
            url: middleware.url.clone(),
            audience: Some(middleware.audience.clone()).filter(|audience| !audience.is_empty()),
            scopes: middleware.scopes.clone(),
            first_method: match middleware.credentials {
                None => Method::Post,
                Some(_) => Method::Basic,
            },
            timeout: middleware.client_config.timeout,
            max_retries: middleware.client_config.max_retries,
            is_cached: middleware.cache.enabled,
            max_age: middleware.cache.max_age,
        }
    }
}

/// A source of tokens. Its options never change; its tokens outlive the configuration that made it
/// for as long as the options stay the same.
pub(crate) struct TokenSource {
    exchange: Arc<Exchange>,
    flights: Flights,
}

impl TokenSource {
    /// A source with nothing kept yet.
    pub(crate) fn new(
        options: Options,
        endpoint: Arc<dyn TokenEndpoint>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            exchange: Arc::new(Exchange {
                hasher: Hasher::new(random.as_ref()),
                methods: Methods::new(options.first_method),
                options,
                endpoint,
                clock,
                random,
            }),
            flights: Flights::new(),
        }
    }

    /// A token for credentials, given in every way they can be read, the likeliest first.
    pub(crate) async fn token(&self, readings: &[Credentials]) -> Outcome {
        if !self.exchange.options.is_cached {
            return self.flights.alone(self.exchange.run(readings)).await;
        }
        let Some(likeliest) = readings.first() else {
            return self.exchange.run(readings).await;
        };
        let key = self
            .exchange
            .hasher
            .token(&self.exchange.options, likeliest);
        let start = || {
            let (exchange, readings) = (Arc::clone(&self.exchange), readings.to_vec());
            async move { exchange.run(&readings).await }.boxed()
        };
        self.flights.join(key, self.exchange.now(), start).await
    }
}
