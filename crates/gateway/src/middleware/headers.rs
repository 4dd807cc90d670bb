//! `headers`: sets and removes headers, answers CORS preflights, adds what browsers obey. Custom
//! headers and CORS stand outside of the rest, as in Traefik: they have the last word.

use carnet_config::routing::middleware::Headers as Options;
use carnet_config::routing::middleware::headers::{Cors, Custom, Security};
use futures_util::future::BoxFuture;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, CONTENT_TYPE,
    HOST, HeaderName, ORIGIN, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::{Exchange, Middleware, Next, decided};
use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::service::KeepForwardedFor;

/// The middleware.
#[derive(Debug)]
pub(super) struct Headers {
    on_request: Vec<Change>,
    on_response: Vec<Change>,
    cors: Cors,
    has_cors: bool,
    /// Whether it does anything with answers.
    changes_answers: bool,
    security: Security,
    /// Sent with each answer.
    fixed: Vec<(HeaderName, HeaderValue)>,
    /// Sent over TLS.
    encrypted: Vec<(HeaderName, HeaderValue)>,
}

/// A header and its value; none: it is removed.
type Change = (HeaderName, Option<HeaderValue>);

impl Headers {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        let Custom {
            custom_request_headers,
            custom_response_headers,
        } = &options.custom;
        let (fixed, encrypted) = promised(&options.security)?;
        let on_response = changes(custom_response_headers.iter())?;
        let has_cors = options.cors != Cors::default();
        let has_promises = !(fixed.is_empty() && encrypted.is_empty());
        Ok(Self {
            on_request: changes(custom_request_headers.iter())?,
            changes_answers: has_cors || has_promises || !on_response.is_empty(),
            on_response,
            has_cors,
            cors: options.cors.clone(),
            security: options.security.clone(),
            fixed,
            encrypted,
        })
    }

    fn is_preflight(&self, request: &Request) -> bool {
        let has = |name: HeaderName| request.headers().get(name).is_some_and(|v| !v.is_empty());
        self.has_cors
            && *request.method() == Method::OPTIONS
            && has(ACCESS_CONTROL_REQUEST_METHOD)
            && has(ORIGIN)
    }

    fn preflight(&self, asked: &HeaderMap) -> Result<Response, Fault> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        self.credentials(headers);
        let allowed = &self.cors.access_control_allow_headers;
        let wanted = asked.get(ACCESS_CONTROL_REQUEST_HEADERS);
        self.permit(headers, (ACCESS_CONTROL_ALLOW_HEADERS, allowed), wanted)?;
        let allowed = &self.cors.access_control_allow_methods;
        let wanted = asked.get(ACCESS_CONTROL_REQUEST_METHOD);
        self.permit(headers, (ACCESS_CONTROL_ALLOW_METHODS, allowed), wanted)?;
        self.expose(headers)?;
        self.allow(headers, asked.get(ORIGIN));
        let age = self.cors.access_control_max_age;
        if age != 0 {
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age));
        }
        Ok(response)
    }

    /// Allows what is listed. Where credentials are sent, browsers take `*` for a name (Fetch
    /// standard, section 3.3.5), so what is wanted stands in its place; nothing, and none is needed.
    fn permit(
        &self,
        headers: &mut HeaderMap,
        (name, list): (HeaderName, &[String]),
        wanted: Option<&HeaderValue>,
    ) -> Result<(), Fault> {
        if !(self.cors.access_control_allow_credentials && list.iter().any(|item| item == "*")) {
            return joined(headers, name, list);
        }
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
            headers.insert(name, wanted.clone());
        }
        Ok(())
    }

    fn expose(&self, headers: &mut HeaderMap) -> Result<(), Fault> {
        let exposed = &self.cors.access_control_expose_headers;
        self.permit(headers, (ACCESS_CONTROL_EXPOSE_HEADERS, exposed), None)
    }

    fn credentials(&self, headers: &mut HeaderMap) {
        if self.cors.access_control_allow_credentials {
            let yes = HeaderValue::from_static("true");
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
    }

    /// Allows the origin to read, where it may. `*` stays what it is: with credentials browsers take it
    /// for nobody, and the origin in its place would be everybody's leave to read as the user.
    fn allow(&self, headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
        let text = origin
            .and_then(|origin| origin.to_str().ok())
            .unwrap_or_default();
        let list = &self.cors.access_control_allow_origin_list;
        let listed = list.iter().find(|item| *item == "*" || *item == text);
        let matched = || {
            let patterns = &self.cors.access_control_allow_origin_list_regex;
            patterns.iter().any(|pattern| pattern.is_match(text))
        };
        let allowed = match listed {
            Some(item) => HeaderValue::from_str(item).ok(),
            None if matched() => Some(origin.cloned().unwrap_or(HeaderValue::from_static(""))),
            None => None,
        };
        if let Some(allowed) = allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
    }

    fn change_response(
        &self,
        headers: &mut HeaderMap,
        origin: Option<&HeaderValue>,
    ) -> Result<(), Fault> {
        apply(headers, &self.on_response);
        if !self.has_cors {
            return Ok(());
        }
        self.allow(headers, origin);
        self.credentials(headers);
        self.expose(headers)?;
        if self.cors.add_vary_header {
            let before = headers
                .get(VARY)
                .map(HeaderValue::as_bytes)
                .unwrap_or_default();
            let vary = match before {
                b"Origin" => return Ok(()),
                b"" => HeaderValue::from_static("Origin"),
                before => HeaderValue::from_bytes(&[before, b",Origin"].concat())
                    .map_err(|error| Fault::new(Reason::Internal).because(error))?,
            };
            headers.insert(VARY, vary);
        }
        Ok(())
    }

    /// Whether `allowedHosts` has the host that is asked for.
    fn is_good_host(&self, headers: &HeaderMap) -> bool {
        let security = &self.security;
        if security.allowed_hosts.is_empty() || security.is_development {
            return true;
        }
        let told = security.hosts_proxy_headers.iter();
        let told = told
            .filter_map(|name| headers.get(name))
            .find(|host| !host.is_empty());
        let host = told
            .or_else(|| headers.get(HOST))
            .and_then(|host| host.to_str().ok());
        let is_it = |allowed: &String| host.is_some_and(|host| allowed.eq_ignore_ascii_case(host));
        security.allowed_hosts.iter().any(is_it)
    }

    fn is_encrypted(&self, request: &Request, exchange: &Exchange) -> bool {
        let told = self.security.ssl_proxy_headers.iter();
        let mut told = told.map(|(name, value)| request.headers().get(name).map(|v| v == value));
        exchange.connection().tls.is_some() || told.any(|is_so| is_so == Some(true))
    }

    /// Keeps what it promises to browsers.
    fn promise(&self, headers: &mut HeaderMap, is_encrypted: bool) {
        let encrypted = self.encrypted.iter().filter(|_| is_encrypted);
        for (name, value) in self.fixed.iter().chain(encrypted) {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// An empty `X-Forwarded-For` keeps the peer's address from being added, too.
fn suppresses_forwarded_for((name, value): &Change) -> bool {
    value.is_none() && name.as_str() == "x-forwarded-for"
}

fn apply(headers: &mut HeaderMap, changes: &[Change]) {
    for (name, value) in changes {
        match value {
            Some(value) => drop(headers.insert(name.clone(), value.clone())),
            None => drop(headers.remove(name)),
        }
    }
}

fn joined(headers: &mut HeaderMap, name: HeaderName, list: &[String]) -> Result<(), Fault> {
    let text = list.join(",");
    if !text.is_empty() {
        let value = HeaderValue::try_from(text)
            .map_err(|error| Fault::new(Reason::Internal).because(error))?;
        headers.insert(name, value);
    }
    Ok(())
}

fn bad_host() -> Response {
    let mut response = Response::new(Body::from("Bad Host\n"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn changes<'a>(
    options: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<Vec<Change>, String> {
    let changes = options.map(|(name, value)| {
        let header = header(name, value)?;
        Ok((header.0, (!value.is_empty()).then_some(header.1)))
    });
    changes.collect()
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let header =
        HeaderName::try_from(name).map_err(|_| format!("`{name}` is no name of a header"))?;
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| format!("the value of `{name}` is none that a header may have"))?;
    Ok((header, value))
}

type Promises = Vec<(HeaderName, HeaderValue)>;

/// The headers that browsers obey: those of each answer, and those that are sent over TLS alone.
fn promised(security: &Security) -> Result<(Promises, Promises), String> {
    let (mut fixed, mut encrypted) = (Vec::new(), Vec::new());
    let or = |own: &str, flag: bool, usual: &str| match (own, flag) {
        ("", true) => usual.to_owned(),
        _ => own.to_owned(),
    };
    let no_sniff = or("", security.content_type_nosniff, "nosniff");
    let frames = or(
        &security.custom_frame_options_value,
        security.frame_deny,
        "DENY",
    );
    let own_filter = &security.custom_browser_xss_value;
    let filter = or(own_filter, security.browser_xss_filter, "1; mode=block");
    for (name, value) in [
        ("x-frame-options", frames.as_str()),
        ("x-content-type-options", &no_sniff),
        ("x-xss-protection", &filter),
        ("content-security-policy", &security.content_security_policy),
        (
            "content-security-policy-report-only",
            &security.content_security_policy_report_only,
        ),
        ("referrer-policy", &security.referrer_policy),
        ("permissions-policy", &security.permissions_policy),
    ] {
        if !value.is_empty() {
            fixed.push(header(name, value)?);
        }
    }
    if security.is_development {
        return Ok((fixed, encrypted));
    }
    if !security.public_key.is_empty() {
        encrypted.push(header("public-key-pins", &security.public_key)?);
    }
    if security.sts_seconds != 0 {
        let subdomains = match security.sts_include_subdomains {
            true => "; includeSubDomains",
            false => "",
        };
        let preload = if security.sts_preload {
            "; preload"
        } else {
            ""
        };
        let value = format!("max-age={}{subdomains}{preload}", security.sts_seconds);
        let sts = header(STRICT_TRANSPORT_SECURITY.as_str(), &value)?;
        match security.force_sts_header {
            true => fixed.push(sts),
            false => encrypted.push(sts),
        }
    }
    Ok((fixed, encrypted))
}

impl Middleware for Headers {
    fn kind(&self) -> &'static str {
        "headers"
    }

    fn handle<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let origin = match self.has_cors {
            true => request.headers().get(ORIGIN).cloned(),
            false => None,
        };
        if self.is_preflight(&request) {
            return decided(self.preflight(request.headers()));
        }
        apply(request.headers_mut(), &self.on_request);
        if self.on_request.iter().any(suppresses_forwarded_for) {
            request.extensions_mut().insert(KeepForwardedFor);
        }
        let answered = move |response: &mut Response| {
            self.change_response(response.headers_mut(), origin.as_ref())
        };
        if !self.is_good_host(request.headers()) {
            let mut response = bad_host();
            return decided(answered(&mut response).map(|()| response));
        }
        if !self.changes_answers {
            return next.pass(request);
        }
        let is_encrypted = !self.encrypted.is_empty() && self.is_encrypted(&request, exchange);
        next.then(request, move |response| {
            self.promise(response.headers_mut(), is_encrypted);
            answered(response)
        })
    }
}
