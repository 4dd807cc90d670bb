//! Header fields that belong to one connection and not to the message (RFC 9110 section 7.6.1).

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, COOKIE, EXPECT, Entry, HOST, HeaderName,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// Beside `Connection` and `TE`. `Trailer` stays: it announces what follows the body.
const HOP_BY_HOP: [HeaderName; 6] = [
    KEEP_ALIVE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    PROXY_CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Headers of a request by which a service knows who sent it.
pub(crate) const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// An extension of a request whose `X-Forwarded-For` stays as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeepForwardedFor;

/// An extension of a request whose `Authorization` holds a token that the gateway fetched for the
/// service of its route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Minted;

/// Takes the gateway's token out of a request that goes to another service than it was fetched for.
pub(super) fn drop_minted_token<B>(request: &mut http::Request<B>) {
    if request.extensions_mut().remove::<Minted>().is_some() {
        request.headers_mut().remove(AUTHORIZATION);
    }
}

/// The comma-separated members of all lines of a header, trimmed, none of them empty.
pub(crate) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

/// Whether one of the members is this token, whatever its case.
pub(crate) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|candidate| candidate.eq_ignore_ascii_case(token))
}

/// The protocol that the sender wants to speak, or speaks, after this message.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    match has_token(headers, &CONNECTION, "upgrade") {
        true => headers.get(UPGRADE).cloned(),
        false => None,
    }
}

/// What a head has of the fields that matter to a proxy. One look at each name is less than a search
/// for each of them, and most heads have few.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    pub(super) connection: bool,
    /// What else belongs to the connection.
    hop_by_hop: bool,
    pub(super) expect: bool,
    pub(super) host: Field,
    pub(super) accept_encoding: Field,
    pub(super) user_agent: Field,
}

/// What the first line of a field says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Field {
    #[default]
    Missing,
    Empty,
    Something,
}

impl Field {
    fn see(&mut self, value: &HeaderValue) {
        if *self == Self::Missing {
            *self = match value.is_empty() {
                true => Self::Empty,
                false => Self::Something,
            };
        }
    }
}

impl Marks {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut marks = Self::default();
        for (name, value) in headers {
            match *name {
                CONNECTION => marks.connection = true,
                EXPECT => marks.expect = true,
                HOST => marks.host.see(value),
                ACCEPT_ENCODING => marks.accept_encoding.see(value),
                USER_AGENT => marks.user_agent.see(value),
                PROXY_AUTHENTICATE | PROXY_AUTHORIZATION | TE | TRANSFER_ENCODING | UPGRADE => {
                    marks.hop_by_hop = true;
                }
                _ => {
                    let name = name.as_str();
                    let is_one = matches!(name, "close" | "keep-alive" | "proxy-connection");
                    marks.hop_by_hop |= is_one;
                }
            }
        }
        marks
    }
}

/// Removes what belongs to the connection the message came over, except `TE: trailers`.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap, marks: Marks) {
    if !marks.hop_by_hop && (!marks.connection || remove_plain_connection(headers)) {
        return;
    }
    let listed: Vec<HeaderName> = tokens(headers, &CONNECTION)
        .filter_map(|name| name.parse().ok())
        .filter(|name| *name != TE)
        .collect();
    for name in listed.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    headers.remove(CONNECTION);
    if headers.contains_key(TE) {
        match has_token(headers, &TE, "trailers") {
            true => headers.insert(TE, TRAILERS),
            false => headers.remove(TE),
        };
    }
}

/// Removes a `Connection` that lists no header; whether it was one.
fn remove_plain_connection(headers: &mut HeaderMap) -> bool {
    let Entry::Occupied(field) = headers.entry(CONNECTION) else {
        return true;
    };
    let is_plain = |value: &HeaderValue| {
        let value = value.as_bytes();
        value.eq_ignore_ascii_case(b"keep-alive") || value.eq_ignore_ascii_case(b"close")
    };
    let are_plain = field.iter().all(is_plain);
    if are_plain {
        field.remove_entry_mult();
    }
    are_plain
}

/// Adds the peer to those the request passed before.
pub(super) fn append_forwarded_for(headers: &mut HeaderMap, peer: &HeaderValue) {
    let mut before = match headers.entry(X_FORWARDED_FOR) {
        Entry::Vacant(place) => {
            place.insert(peer.clone());
            return;
        }
        Entry::Occupied(before) => before,
    };
    let mut value = Vec::new();
    for line in before.iter() {
        value.extend_from_slice(line.as_bytes());
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(peer.as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        drop(before.insert_mult(value));
    }
}
