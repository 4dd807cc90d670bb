//! URLs that the gateway itself calls.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, ParseError, Url};

use crate::document::Fields;

/// A required URL of http or https. Plain http gets a warning, unless it stays on this machine or
/// inside a cluster. Messages hold host and port at most: the rest of a URL may be secret.
pub(crate) fn outbound_url(fields: &mut Fields<'_>, key: &'static str) -> Option<Url> {
    called_url(fields, key, "credentials go to")
}

/// As [`outbound_url`]; `what` begins the sentence of the warning.
pub(crate) fn called_url(fields: &mut Fields<'_>, key: &'static str, what: &str) -> Option<Url> {
    let text = fields.required_text(key)?;
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(error) => {
            fields.error(key, no_url(error));
            return None;
        }
    };
    if !matches!(url.scheme(), "http" | "https") {
        let message = "only `http` and `https` URLs are called; write it as `https://HOST/PATH`";
        fields.error(key, message);
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message = "holds credentials, and URLs are written to logs; take them out of it";
        fields.error(key, message);
        return None;
    }
    if url.scheme() == "http" && !is_near(&url) {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let message = format!("{what} {host}:{port} unencrypted; use `https`");
        fields.warn(key, message);
    }
    Some(url)
}

/// What is wrong with a text that is no URL, which is seldom more than what stands in front of it.
pub(crate) fn no_url(error: ParseError) -> String {
    match error {
        ParseError::RelativeUrlWithoutBase => {
            "is no URL: its scheme is missing; write it as `http://HOST:PORT`".to_owned()
        }
        error => format!("is no URL: {error}"),
    }
}

/// Loopback, or a name of a cluster's services.
fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => Ipv4Addr::is_loopback(&address),
        Some(Host::Ipv6(address)) => Ipv6Addr::is_loopback(&address),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost"
                || [".localhost", ".svc", ".svc.cluster.local"]
                    .iter()
                    .any(|suffix| name.ends_with(suffix))
        }
        None => false,
    }
}

/// `insecureSkipVerify`: off unless written down, and never in silence.
pub(crate) fn insecure_skip_verify(fields: &mut Fields<'_>) -> bool {
    let key = "insecureSkipVerify";
    let skips = fields.boolean(key).unwrap_or(false);
    if skips {
        fields.warn(
            key,
            "any certificate is accepted; name the authority's certificate instead",
        );
    }
    skips
}
