//! Names of headers as Go writes them.

use http::header::HeaderName;

/// `user-agent` as `User-Agent`.
pub(crate) fn canonical(name: &HeaderName) -> String {
    let mut starts = true;
    let title = |c: char| {
        let cased = if starts { c.to_ascii_uppercase() } else { c };
        starts = c == '-';
        cased
    };
    name.as_str().chars().map(title).collect()
}
