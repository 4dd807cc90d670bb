//! The text that a caller has signed (draft-cavage-http-signatures-12 section 2.3).

use http::HeaderName;
use http::uri::PathAndQuery;

use super::shown::Shown;
use crate::body::Request;

/// The lines in the order of the caller. `None`: one of them is about nothing that is there.
pub(super) fn text(shown: &Shown, request: &Request) -> Option<Vec<u8>> {
    let lines = shown.headers.iter().map(|name| {
        let mut line = format!("{name}: ").into_bytes();
        line.extend(value(name, shown, request)?);
        Some(line)
    });
    let lines: Vec<Vec<u8>> = lines.collect::<Option<_>>()?;
    (!lines.is_empty()).then(|| lines.join(&b'\n'))
}

fn value(name: &str, shown: &Shown, request: &Request) -> Option<Vec<u8>> {
    match name {
        "(request-target)" => {
            let method = request.method().as_str().to_ascii_lowercase();
            let target = request.uri().path_and_query();
            let target = target.map_or("/", PathAndQuery::as_str);
            Some(format!("{method} {target}").into_bytes())
        }
        "(created)" => Some(shown.created?.to_string().into_bytes()),
        "(expires)" => Some(shown.expires?.to_string().into_bytes()),
        name => {
            let name: HeaderName = name.parse().ok()?;
            let values = request.headers().get_all(name).iter();
            let values: Vec<&[u8]> = values.map(|value| value.as_bytes().trim_ascii()).collect();
            (!values.is_empty()).then(|| values.join(&b", "[..]))
        }
    }
}
