//! `apiKey`: who may pass, by a key in a header, in the query or in a cookie.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use carnet_config::routing::middleware::ApiKey as Options;
use futures_util::future::BoxFuture;
use http::header::{COOKIE, HeaderMap, HeaderName};
use http::{HeaderValue, Uri};
use secrecy::SecretString;
use url::form_urlencoded;

use super::credentials::refused;
use super::hashed::Hashed;
use super::{Exchange, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::supplies::Supplies;

/// Command lines write keys with padding and without, pages in the alphabet of URLs.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The middleware.
pub(super) struct ApiKey {
    header: Option<HeaderName>,
    scheme: Option<String>,
    query: Option<Arc<str>>,
    cookie: Option<String>,
    is_plain: bool,
    keys: Hashed,
    challenge: HeaderValue,
}

impl ApiKey {
    /// The error is one sentence.
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let source = options.key_source.clone();
        let header = source.header.map(|name| {
            HeaderName::try_from(&name).map_err(|_| format!("`{name}` is no name of a header"))
        });
        let scheme = source.header_auth_scheme;
        let challenge = format!(
            "{} realm=\"traefik\"",
            scheme.as_deref().unwrap_or("ApiKey")
        );
        Ok(Self {
            header: header.transpose()?,
            challenge: HeaderValue::try_from(challenge)
                .map_err(|_| "`headerAuthScheme` has characters that no header may have")?,
            scheme,
            query: source.query.map(Arc::from),
            cookie: source.cookie,
            is_plain: options.secret_non_base64_encoded,
            keys: Hashed::new(&options.secret_values, supplies.random.as_ref())?,
        })
    }

    /// The key that the request shows, or why it shows none that could be one.
    fn shown(&self, request: &Request) -> Result<SecretString, &'static str> {
        let headers = request.headers();
        let key = match self.in_header(headers)? {
            Some(key) => Some(key.into()),
            None => match self.in_query(request.uri())? {
                Some(key) => Some(key),
                None => self.in_cookie(headers)?.map(Cow::Borrowed),
            },
        };
        let key = key.ok_or("there is no key")?;
        if self.is_plain {
            return Ok(key.into_owned().into());
        }
        let standard = key.replace('-', "+").replace('_', "/");
        let key = BASE64
            .decode(standard)
            .map_err(|_| "the key is no base64")?;
        let key = String::from_utf8(key).map_err(|_| "the key is no text")?;
        Ok(key.into())
    }

    fn in_header<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, &'static str> {
        let Some(name) = &self.header else {
            return Ok(None);
        };
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err("the header is there twice");
        }
        let value = value.to_str().map_err(|_| "the header is no text")?;
        let Some(scheme) = &self.scheme else {
            return Ok(Some(value));
        };
        let named = value.split_once(' ');
        let named = named.filter(|(before, _)| before.eq_ignore_ascii_case(scheme));
        Ok(named.map(|(_, key)| key.trim()))
    }

    fn in_query<'a>(&self, uri: &'a Uri) -> Result<Option<Cow<'a, str>>, &'static str> {
        let Some(wanted) = &self.query else {
            return Ok(None);
        };
        let parameters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut found = parameters.filter(|(name, _)| **name == **wanted);
        let first = found.next().map(|(_, value)| value);
        match found.next() {
            Some(_) => Err("the parameter is there twice"),
            None => Ok(first),
        }
    }

    fn in_cookie<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, &'static str> {
        let Some(wanted) = &self.cookie else {
            return Ok(None);
        };
        let lines = headers.get_all(COOKIE).iter();
        let lines = lines.filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';'));
        let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(name, _)| name == wanted);
        let first = found.next().map(|(_, value)| value.trim_matches('"'));
        match found.next() {
            Some(_) => Err("the cookie is there twice"),
            None => Ok(first),
        }
    }

    fn refusal(&self, why: &str, exchange: &Exchange) -> Response {
        refused(self.kind(), why, &self.challenge, exchange)
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKey").finish_non_exhaustive()
    }
}

impl Middleware for ApiKey {
    fn kind(&self) -> &'static str {
        "apiKey"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        if let Some(name) = &self.query {
            exchange.conceal(name);
        }
        if let Some(name) = &self.header {
            exchange.conceal_header(name);
        }
        let key = match self.shown(&request) {
            Ok(key) => key,
            Err(why) => return decided(Ok(self.refusal(why, exchange))),
        };
        if self.keys.remember(&key) {
            return next.pass(request);
        }
        Box::pin(async move {
            let from = exchange.connection().peer.ip();
            match self.keys.is_one_of(&key, from).await? {
                true => Ok(next.run(request).await),
                false => Ok(self.refusal("the key is none of those that pass", exchange)),
            }
        })
    }
}
