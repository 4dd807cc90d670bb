//! Where a request was sent to, as its sender sees it, and where people are sent from there.

use carnet_config::routing::middleware::oidc::Place;
use http::HeaderMap;
use http::header::HOST;
use url::Url;

use crate::body::Request;
use crate::error::{Fault, Reason};
use crate::host;
use crate::middleware::Exchange;
use crate::middleware::redirect::told_scheme;

/// The place of a request.
#[derive(Debug)]
pub(super) struct Here {
    /// Scheme, host and port.
    origin: String,
    /// The host's name.
    name: String,
    path: String,
    query: Option<String>,
}

impl Here {
    /// The entry point has left `X-Forwarded-Proto` and `X-Forwarded-Host` only where they may be
    /// believed.
    ///
    /// # Errors
    /// When the request names no host that a URL may have.
    pub(super) fn of(request: &Request, exchange: &Exchange) -> Result<Self, Fault> {
        let scheme = match first(told_scheme(request, exchange)) {
            "https" => "https",
            _ => "http",
        };
        let origin = origin(scheme, asked(request.headers()));
        let origin = origin.ok_or_else(|| Fault::new(Reason::BadRequest))?;
        Ok(Self {
            name: origin.host_str().unwrap_or_default().to_owned(),
            origin: origin.origin().ascii_serialization(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
        })
    }

    /// Whether this is such a place. Ports are not compared: a proxy may have another.
    pub(super) fn is(&self, place: &Place) -> bool {
        match place {
            Place::Path(path) => path.split('?').next() == Some(&self.path),
            Place::Url(url) => url.path() == self.path && url.host_str() == Some(&self.name),
        }
    }

    /// A place as a URL.
    pub(super) fn absolute(&self, place: &Place) -> String {
        match place {
            Place::Path(path) => format!("{}{path}", self.origin),
            Place::Url(url) => url.to_string(),
        }
    }

    /// What was asked for, as a URL. The host stands before the path, so that no path leads away.
    pub(super) fn url(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}"));
        let path = match self.path.starts_with('/') {
            true => &self.path,
            false => "/",
        };
        format!("{}{path}{}", self.origin, query.unwrap_or_default())
    }

    /// What stands behind the question mark.
    pub(super) fn query(&self) -> &str {
        self.query.as_deref().unwrap_or_default()
    }
}

/// The host that the first proxy was asked for, or we were.
fn asked(headers: &HeaderMap) -> &str {
    let told = headers.get("x-forwarded-host").map(host::text);
    let told = told.filter(|told| !told.is_empty());
    let own = || headers.get(HOST).map(host::text);
    first(told.or_else(own).unwrap_or_default())
}

/// What the first of several proxies told.
fn first(told: &str) -> &str {
    told.split(',').next().unwrap_or_default().trim()
}

/// `None`: something else than a host and a port is said.
fn origin(scheme: &str, host: &str) -> Option<Url> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || !host.chars().all(is_plain) {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{host}/")).ok()?;
    url.host_str()
        .is_some_and(|name| !name.is_empty())
        .then_some(url)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn here(path: &str, query: Option<&str>) -> Here {
        Here {
            origin: "https://app.test".to_owned(),
            name: "app.test".to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
        }
    }

    #[test]
    fn whatever_was_asked_for_is_of_the_host_that_was_asked() {
        for path in ["//evil.test/", "/\\evil.test", "/@evil.test", "*", "/a"] {
            let url = here(path, Some("b=//evil.test")).url();
            let read = Url::parse(&url).unwrap();
            assert_eq!(read.host_str(), Some("app.test"), "{url}");
            assert_eq!(read.query(), Some("b=//evil.test"));
        }
    }

    #[test]
    fn only_a_host_is_a_host() {
        for host in [
            "app.test",
            "my_app",
            "app.test:8443",
            "[::1]:80",
            "127.0.0.1",
        ] {
            assert!(origin("https", host).is_some(), "{host}");
        }
        for host in [
            "",
            "a@b.test",
            "a.test/b",
            "a.test?b",
            "a b",
            "a.test\\b",
            ":80",
            "a.test:x",
        ] {
            assert!(origin("https", host).is_none(), "{host}");
        }
    }

    #[test]
    fn a_place_is_found_by_its_path_and_by_its_host_where_it_names_one() {
        let url = |text: &str| Place::Url(Url::parse(text).unwrap());
        for (place, is_here) in [
            (Place::Path("/callback".to_owned()), true),
            (Place::Path("/callbac".to_owned()), false),
            (url("https://app.test/callback"), true),
            (url("https://app.test:8443/callback"), true),
            (url("https://other.test/callback"), false),
            (url("https://app.test/callback/"), false),
        ] {
            assert_eq!(here("/callback", None).is(&place), is_here, "{place:?}");
        }
    }
}
