//! Header fields that belong to one connection and not to the message (RFC 9110 section 7.6.1).

use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, Entry, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRANSFER_ENCODING, UPGRADE,
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

/// Removes what belongs to the connection the message came over, except `TE: trailers`.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let (mut has_connection, mut has_others) = (false, false);
    // Most messages have none of them, or say that the connection stays: one look at each name is
    // less than a search for each of them.
    for name in headers.keys() {
        match *name {
            CONNECTION => has_connection = true,
            PROXY_AUTHENTICATE | PROXY_AUTHORIZATION | TE | TRANSFER_ENCODING | UPGRADE => {
                has_others = true;
            }
            _ => has_others |= matches!(name.as_str(), "close" | "keep-alive" | "proxy-connection"),
        }
    }
    if !has_others && (!has_connection || remove_plain_connection(headers)) {
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
    if !headers.contains_key(&X_FORWARDED_FOR) {
        headers.insert(X_FORWARDED_FOR, peer.clone());
        return;
    }
    let mut value = Vec::new();
    for line in headers.get_all(X_FORWARDED_FOR) {
        value.extend_from_slice(line.as_bytes());
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(peer.as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        headers.insert(X_FORWARDED_FOR, value);
    }
}
