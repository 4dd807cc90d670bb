//! Where a request carries its token, and taking it off. A token comes in one way (RFC 6750, section
//! 2): of two nobody knows which the service will believe.

use std::sync::Arc;

use carnet_config::routing::middleware::TokenSource;
use carnet_oauth::form;
use http::Uri;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use secrecy::SecretString;

use super::Sent;
use crate::body::Request;
use crate::cookies;
use crate::error::{Fault, Reason};
use crate::middleware::Exchange;
use crate::room::{Room, Share};
use crate::service::{Collected, collect};

/// Larger forms are not looked at.
const FORM: usize = 128 << 10;

/// A header of proofs (RFC 9449, section 4.1).
const DPOP: HeaderName = HeaderName::from_static("dpop");

/// How a token was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::middleware) enum Scheme {
    /// As one that whoever has it may use.
    Bearer,
    /// With a proof of a key.
    Dpop,
}

/// A token that a request carries.
#[derive(Debug)]
pub(in crate::middleware) struct Shown {
    pub(in crate::middleware) token: SecretString,
    pub(in crate::middleware) scheme: Scheme,
    /// The request, where it was sent with a proof.
    pub(super) sent: Option<Box<Sent>>,
}

/// What stands in the header of tokens.
enum InHeader<'a> {
    Nothing,
    /// Something that can be no token.
    Unreadable,
    Token(&'a str, Scheme),
}

/// What a request carries.
#[derive(Debug)]
pub(in crate::middleware) enum Found {
    /// No token.
    Nothing,
    /// One.
    One(Shown),
    /// Something that stands where a token does and can be none.
    Unreadable,
    /// More than one.
    Several,
}

/// A request whose body may have been read, with the memory that takes.
pub(in crate::middleware) type Looked = (Request, Found, Option<Share>);

/// Where tokens stand.
#[derive(Debug)]
pub(in crate::middleware) struct Place {
    header: Option<(HeaderName, Option<String>)>,
    query: Option<Arc<str>>,
    form: Option<String>,
    cookie: Option<String>,
    room: Arc<Room>,
}

impl Place {
    /// The error is one sentence.
    pub(in crate::middleware) fn new(
        options: &TokenSource,
        room: &Arc<Room>,
    ) -> Result<Self, String> {
        let header = options.header.as_ref().map(|name| {
            let scheme = options.header_auth_scheme.clone();
            HeaderName::try_from(name).map(|name| (name, scheme))
        });
        Ok(Self {
            header: header
                .transpose()
                .map_err(|_| "`header` is no name of a header")?,
            query: options.query.as_deref().map(Arc::from),
            form: options.form.clone(),
            cookie: options.cookie.clone(),
            room: Arc::clone(room),
        })
    }

    /// The token of a request that carries it as most do: as a bearer token in the header, and where no
    /// other place could have one. `None`: one has to look.
    pub(super) fn at_once<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let headers = request.headers();
        let is_elsewhere = self.query.is_some() && request.uri().query().is_some()
            || self.cookie.is_some() && headers.contains_key(http::header::COOKIE)
            || self.form.is_some() && is_form(headers);
        match self.in_header(headers) {
            InHeader::Token(token, Scheme::Bearer) if !is_elsewhere => Some(token),
            _ => None,
        }
    }

    /// Keeps the header of tokens out of the access log, which knows of `Authorization` by itself.
    pub(super) fn conceal(&self, exchange: &Exchange) {
        if let Some((name, _)) = &self.header
            && name != AUTHORIZATION
        {
            exchange.conceal_header(name);
        }
    }

    /// Looks for the token.
    pub(in crate::middleware) async fn look(
        &self,
        request: Request,
        exchange: &Exchange,
    ) -> Result<Looked, Fault> {
        self.conceal(exchange);
        let mut found = Found::from(self.in_header(request.headers()));
        if let Found::One(shown) = &mut found
            && shown.scheme == Scheme::Dpop
        {
            shown.sent = Some(Box::new(Sent::of(&request, exchange)));
        }
        if let Some(name) = &self.query {
            exchange.conceal(name);
            let query = request.uri().query().unwrap_or_default();
            found = found.or(one_of(form::parse(query.as_bytes()), name));
        }
        if let Some(name) = &self.cookie {
            found = found.or(in_cookies(request.headers(), name));
        }
        match &self.form {
            Some(name) if is_form(request.headers()) => {
                let (request, in_form, share) = self.in_form(request, name).await?;
                Ok((request, found.or(in_form), share))
            }
            _ => Ok((request, found, None)),
        }
    }

    /// Takes the token off a request, and the proof that came with it.
    pub(in crate::middleware) fn take_off(&self, request: &mut Request) {
        let headers = request.headers_mut();
        headers.remove(AUTHORIZATION);
        headers.remove(DPOP);
        if let Some((name, _)) = &self.header
            && name != AUTHORIZATION
        {
            headers.remove(name);
        }
        if let Some(name) = &self.cookie {
            cookies::take_off(headers, |other| other == name);
        }
        if let Some(name) = &self.query {
            without_parameter(request, name);
        }
    }

    fn in_header<'a>(&self, headers: &'a HeaderMap) -> InHeader<'a> {
        let Some((name, scheme)) = &self.header else {
            return InHeader::Nothing;
        };
        let mut values = headers.get_all(name).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return InHeader::Nothing,
            (Some(_), Some(_)) => return InHeader::Unreadable,
            (Some(value), None) => value,
        };
        let Some(text) = visible(value.as_bytes()) else {
            return InHeader::Unreadable;
        };
        let Some(scheme) = scheme else {
            return InHeader::of(text, Scheme::Bearer);
        };
        let (said, token) = text.split_once(' ').unwrap_or((text, ""));
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        if said.eq_ignore_ascii_case(scheme) {
            InHeader::of(token.trim(), Scheme::Bearer)
        } else if is_bearer && said.eq_ignore_ascii_case("dpop") {
            InHeader::of(token.trim(), Scheme::Dpop)
        } else {
            InHeader::Nothing
        }
    }

    async fn in_form(&self, request: Request, name: &str) -> Result<Looked, Fault> {
        let whole = match collect(request, FORM, &self.room).await? {
            Collected::Whole(whole) => whole,
            Collected::Streamed(request, _) => return Ok((request, Found::Nothing, None)),
        };
        let found = one_of(form::parse(&whole.bytes()), name);
        let (request, share) = whole.last();
        Ok((request, found, Some(share)))
    }
}

impl Shown {
    /// The one token of a request.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(in crate::middleware) fn only(found: Found) -> Result<Self, Fault> {
        let because = |reason, sentence: &str| Err(Fault::new(reason).because(sentence));
        match found {
            Found::One(shown) => Ok(shown),
            Found::Nothing => Err(Fault::new(Reason::TokenMissing)),
            Found::Unreadable => because(
                Reason::TokenInvalid,
                "there is no token where one is announced, or there are several headers",
            ),
            Found::Several => because(
                Reason::BadRequest,
                "the request has tokens in more than one place",
            ),
        }
    }
}

impl<'a> InHeader<'a> {
    /// A token is made of visible characters, and none that ends a field.
    fn of(text: &'a str, scheme: Scheme) -> Self {
        let is_of_token = |byte: u8| byte.is_ascii_graphic() & (byte != b',') & (byte != b'"');
        match !text.is_empty() && are_all(text.as_bytes(), is_of_token) {
            true => Self::Token(text, scheme),
            false => Self::Unreadable,
        }
    }
}

/// The value of a field, where its characters are visible ones, spaces and tabs.
fn visible(value: &[u8]) -> Option<&str> {
    let is_visible = |byte: u8| (32..127).contains(&byte) | (byte == b'\t');
    are_all(value, is_visible)
        .then(|| str::from_utf8(value).ok())
        .flatten()
}

/// Whether all bytes are such. It looks at all of them, which is many at a time: tokens have about a
/// thousand, and nearly all are right.
fn are_all(bytes: &[u8], is_such: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_such(*byte))
}

impl From<InHeader<'_>> for Found {
    fn from(found: InHeader<'_>) -> Self {
        match found {
            InHeader::Nothing => Self::Nothing,
            InHeader::Unreadable => Self::Unreadable,
            InHeader::Token(token, scheme) => Self::One(Shown {
                token: SecretString::from(token),
                scheme,
                sent: None,
            }),
        }
    }
}

impl Found {
    fn token(text: &str, scheme: Scheme) -> Self {
        InHeader::of(text, scheme).into()
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, other) => other,
            (found, Self::Nothing) => found,
            _ => Self::Several,
        }
    }
}

fn one_of(pairs: Vec<(String, String)>, name: &str) -> Found {
    let values = pairs.into_iter().filter(|(other, _)| other == name);
    let found = values.map(|(_, value)| Found::token(&value, Scheme::Bearer));
    found.fold(Found::Nothing, Found::or)
}

fn in_cookies(headers: &HeaderMap, name: &str) -> Found {
    let found = cookies::values(headers, name).map(|value| Found::token(value, Scheme::Bearer));
    found.fold(Found::Nothing, Found::or)
}

fn without_parameter(request: &mut Request, name: &str) {
    let Some(query) = request.uri().query() else {
        return;
    };
    let is_other = |pair: &&str| {
        let raw = pair.split('=').next().unwrap_or_default();
        form::decode(raw.as_bytes()).as_deref() != Some(name)
    };
    let kept: Vec<&str> = query.split('&').filter(is_other).collect();
    let path = request.uri().path();
    let target = match kept.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", kept.join("&")),
    };
    if let Ok(target) = PathAndQuery::try_from(target) {
        *request.uri_mut() = Uri::from(target);
    }
}

/// Whether a body is a form.
pub(in crate::middleware) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let kind = kind.unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii()
        .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}
