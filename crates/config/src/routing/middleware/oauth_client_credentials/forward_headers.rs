//! `forwardHeaders`: which headers may carry a claim.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::ClaimPath;
use crate::document::Fields;
use crate::token::is_token;

/// Headers that frame the message, address it or authenticate it: a claim there would undo what
/// the gateway itself says with them.
const RESERVED: [&str; 13] = [
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Reads the map of header names to claim paths.
pub(in crate::routing::middleware) fn read(fields: &mut Fields<'_>) -> BTreeMap<String, ClaimPath> {
    let mut headers = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (name, path) in fields.text_map("forwardHeaders") {
        let key = format!("forwardHeaders.{name}");
        if let Some(message) = refusal(&name, &mut seen) {
            fields.error(&key, message);
            continue;
        }
        match ClaimPath::parse(&path) {
            Ok(path) => {
                headers.insert(name, path);
            }
            Err(message) => fields.error(&key, message),
        }
    }
    headers
}

fn refusal(name: &str, seen: &mut BTreeSet<String>) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    if !is_token(name) {
        Some("this is no name of a header")
    } else if RESERVED.contains(&lower.as_str()) {
        Some("this header is the gateway's own and carries no claim")
    } else if !seen.insert(lower) {
        Some("this header is given twice; case does not count")
    } else {
        None
    }
}
