//! Whether a request may come in, and in which shape. After this there is one host, one path and
//! one truth about where it came from.

use carnet_config::install::EntryPoint;
use carnet_config::install::entry_points::HeadersStrategy;
use http::header::{EXPECT, HOST, HeaderName};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request as HttpRequest, Version};

use super::alphabet::Alphabet;
use super::forwarded::{self, Origin};
use super::{path, via};
use crate::error::{Fault, Reason};
use crate::middleware::Connection;
use crate::service::KeepForwardedFor;
use crate::upstream::Hops;

/// `host[:port]` is written in the characters of RFC 3986 section 3.2.2; no user information.
const HOST_AND_PORT: Alphabet = Alphabet::with(b"-._~!$&'()*+;=%:[]");

/// Checks and cleans a request. Gives the host as the client wrote it.
pub(super) fn admit<B>(
    request: &mut HttpRequest<B>,
    connection: &Connection,
    options: &EntryPoint,
    hostname: &HeaderValue,
) -> Result<HeaderValue, Fault> {
    if *request.method() == Method::CONNECT {
        return Err(Fault::new(Reason::ConnectMethod));
    }
    if *request.method() == Method::TRACE {
        return Err(Fault::new(Reason::TraceMethod));
    }
    let expectation = request.headers().get(EXPECT);
    if expectation.is_some_and(|e| !e.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(Fault::new(Reason::UnknownExpectation));
    }
    if connection.tls.is_some() && is_unencrypted(request) {
        let cause = "`:scheme` is `http` on an encrypted connection";
        return Err(Fault::new(Reason::BadRequest).because(cause));
    }
    let (host, is_there) = host(request)?;
    if let Some(clean) = path::clean(request.uri(), options)? {
        *request.uri_mut() = clean;
    }
    Hops::take(request);
    let headers = request.headers_mut();
    // Once, and not each time that there are twice as many.
    headers.reserve(forwarded::COUNT);
    aliases(headers, options.alias_headers, is_alias)?;
    aliases(headers, options.underscore_headers, |name| {
        name.as_str().contains('_')
    })?;
    if !is_there {
        headers.insert(HOST, host.clone());
    }
    let origin = Origin {
        connection,
        host: &host,
        server: hostname,
    };
    forwarded::forward(headers, &origin, &options.forwarded_headers);
    if let Some(name) = &options.via {
        via::tell(request, name);
    }
    if options.forwarded_headers.not_append_x_forwarded_for {
        request.extensions_mut().insert(KeepForwardedFor);
    }
    Ok(host)
}

/// Whether a request of HTTP/2 says that it is not encrypted (RFC 9113 section 8.3.1). The other way
/// round, a balancer in front has ended TLS.
fn is_unencrypted<B>(request: &HttpRequest<B>) -> bool {
    request.version() == Version::HTTP_2 && request.uri().scheme_str() == Some("http")
}

/// Whether servers that make variables of headers (CGI, WSGI, PHP) take this one for another.
fn is_alias(name: &HeaderName) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !name.as_str().bytes().all(is_plain)
}

fn aliases(
    headers: &mut HeaderMap,
    strategy: HeadersStrategy,
    is_one: impl Fn(&HeaderName) -> bool,
) -> Result<(), Fault> {
    if strategy == HeadersStrategy::Keep {
        return Ok(());
    }
    let names = headers.keys().filter(|name| is_one(name));
    let names: Vec<HeaderName> = names.cloned().collect();
    if strategy == HeadersStrategy::Reject && !names.is_empty() {
        let cause = "a header's name can be taken for another";
        return Err(Fault::new(Reason::BadRequest).because(cause));
    }
    for name in names {
        headers.remove(name);
    }
    Ok(())
}

/// The host the request is for. In absolute form and in HTTP/2 the target names it (RFC 9112
/// section 3.2.2); in HTTP/2 a `host` field must agree (RFC 9113 section 8.3.1).
/// And whether that is the request's one `host` field.
fn host<B>(request: &HttpRequest<B>) -> Result<(HeaderValue, bool), Fault> {
    let refused = |cause: &'static str| Fault::new(Reason::BadRequest).because(cause);
    let mut fields = request.headers().get_all(HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(refused("there are several `Host` fields"));
    }
    if !matches!(request.uri().scheme_str(), None | Some("http" | "https")) {
        return Err(refused(
            "the request target has another scheme than http and https",
        ));
    }
    let is_http2 = request.version() == Version::HTTP_2;
    let authority = request.uri().authority().map(Authority::as_str);
    let host = match (authority, field) {
        (Some(authority), Some(field)) if is_http2 && field != authority => {
            return Err(refused("`:authority` and `host` differ"));
        }
        (Some(authority), _) => HeaderValue::from_str(authority)
            .map_err(|error| Fault::new(Reason::BadRequest).because(error))?,
        (None, Some(field)) => field.clone(),
        (None, None) if request.version() < Version::HTTP_11 => HeaderValue::from_static(""),
        (None, None) => return Err(refused("there is no host")),
    };
    let is_there = field == Some(&host);
    match host.is_empty() && request.version() >= Version::HTTP_11
        || !HOST_AND_PORT.spells(host.as_bytes())
    {
        true => Err(refused("the host is malformed")),
        false => Ok((host, is_there)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::host;

    fn admitted(request: http::request::Builder) -> Result<String, Reason> {
        admitted_by(&EntryPoint::at(":80"), request)
    }

    fn admitted_by(
        options: &EntryPoint,
        request: http::request::Builder,
    ) -> Result<String, Reason> {
        let peer = "10.1.1.1:5000".parse().unwrap();
        let connection = Connection::new("web".into(), peer, None);
        let hostname = HeaderValue::from_static("gateway");
        let mut request = request.body(()).unwrap();
        admit(&mut request, &connection, options, &hostname)
            .map(|host| host::text(&host).to_owned())
            .map_err(|fault| fault.reason())
    }

    fn get(target: &str) -> http::request::Builder {
        HttpRequest::get(target)
    }

    // Holds HT-16.
    #[test]
    fn the_target_of_an_absolute_form_names_the_host() {
        let request = get("http://x.test/a").header("Host", "y.test");
        assert_eq!(admitted(request), Ok("x.test".into()));
        let request = get("ftp://x.test/a").header("Host", "x.test");
        assert_eq!(admitted(request), Err(Reason::BadRequest));
    }

    // Holds HT-15, H2-04.
    #[test]
    fn a_host_that_is_none_is_refused() {
        for host in ["a@b", "a/b", "a,b", "a b", "", "u:p@h"] {
            assert_eq!(
                admitted(get("/").header("Host", host)),
                Err(Reason::BadRequest),
                "{host}"
            );
        }
        assert_eq!(admitted(get("/")), Err(Reason::BadRequest));
        assert_eq!(
            admitted(get("/").version(Version::HTTP_10)),
            Ok(String::new())
        );
        let http2 = |host: &str| {
            get("http://a.test/")
                .version(Version::HTTP_2)
                .header("host", host)
        };
        assert_eq!(admitted(http2("a.test")), Ok("a.test".into()));
        assert_eq!(admitted(http2("b.test")), Err(Reason::BadRequest));
    }

    #[test]
    fn headers_that_servers_take_for_others_pass_are_removed_or_refused() {
        use HeadersStrategy::{Delete, Keep, Reject};
        // All characters of names (RFC 9110 section 5.6.2) that are no letter, digit or dash.
        for odd in "!#$%&'*+.^_`|~".chars() {
            let one = HeaderValue::from_static("1");
            let odd = HeaderName::try_from(format!("x{odd}a-b")).unwrap();
            let plain = HeaderName::from_static("x-a-b2");
            let both = [&odd, &plain].map(|name| (name.clone(), one.clone()));
            let mut headers = HeaderMap::from_iter(both);
            assert!(aliases(&mut headers, Keep, is_alias).is_ok());
            assert_eq!(headers.len(), 2);
            assert!(aliases(&mut headers, Reject, is_alias).is_err(), "{odd}");
            assert!(aliases(&mut headers, Delete, is_alias).is_ok());
            assert_eq!(headers.keys().collect::<Vec<_>>(), [&plain]);
            assert!(aliases(&mut headers, Reject, is_alias).is_ok());
        }
    }

    #[test]
    fn each_strategy_is_about_its_own_names() {
        use HeadersStrategy::{Keep, Reject};
        for (alias_headers, underscore_headers, name, outcome) in [
            (Keep, Keep, "X_A", Ok("a".to_owned())),
            (Keep, Reject, "X_A", Err(Reason::BadRequest)),
            (Keep, Reject, "X.A", Ok("a".to_owned())),
            (Reject, Keep, "X_A", Err(Reason::BadRequest)),
            (Reject, Keep, "X.A", Err(Reason::BadRequest)),
            (Reject, Keep, "X-A", Ok("a".to_owned())),
        ] {
            let options = EntryPoint {
                alias_headers,
                underscore_headers,
                ..EntryPoint::at(":80")
            };
            let request = get("/").header("Host", "a").header(name, "1");
            assert_eq!(admitted_by(&options, request), outcome, "{name}");
        }
    }

    // Holds HT-17, HT-24.
    #[test]
    fn connect_and_unknown_expectations_are_refused() {
        let connect = HttpRequest::connect("host:443");
        assert_eq!(admitted(connect), Err(Reason::ConnectMethod));
        let expect = get("/")
            .header("Host", "a")
            .header("Expect", "the-impossible");
        assert_eq!(admitted(expect), Err(Reason::UnknownExpectation));
    }
}
