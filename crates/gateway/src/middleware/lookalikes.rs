//! Fields that the gateway vouches for: nobody else's may be taken for them.

use http::header::{HeaderMap, HeaderName};

/// Removes all fields that a server may read as this one: CGI, WSGI and their kin make one name of
/// `X-User`, `X_User` and `X.User`.
pub(super) fn remove_lookalikes(headers: &mut HeaderMap, name: &HeaderName) {
    let wanted = collapsed(name);
    let length = name.as_str().len();
    let alike: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().len() == length && collapsed(name).eq(wanted.clone()))
        .cloned()
        .collect();
    for name in alike {
        headers.remove(name);
    }
}

/// A name with everything that is no letter or digit made one; names are in lower case already.
pub(super) fn collapsed(name: &HeaderName) -> impl Iterator<Item = u8> + Clone {
    name.as_str().bytes().map(|byte| match byte {
        b'a'..=b'z' | b'0'..=b'9' => byte,
        _ => b'-',
    })
}
