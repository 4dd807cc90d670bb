//! What clients are told of a route, so that they find its authorization server by themselves (RFC
//! 9728): a document at a well-known place, which needs no token, and where that is in each refusal.

use bytes::Bytes;
use carnet_config::routing::middleware::ResourceMetadata as Options;
use carnet_jose::Algorithm;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};
use url::Position;

use crate::body::{Body, Request, Response};

/// Before the path of the resource (section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A route that tells of itself.
#[derive(Debug)]
pub(in crate::middleware) struct Resource {
    path: String,
    document: Bytes,
    /// Where the document is.
    pub(super) url: String,
}

impl Resource {
    /// `takes_proofs`: whether it says what proofs of keys may be signed with.
    pub(in crate::middleware) fn new(options: &Options, takes_proofs: bool) -> Self {
        let resource = &options.resource;
        // The slash of a resource without a path is not part of it; any other is.
        let of_resource = Some(resource.path()).filter(|path| *path != "/");
        let path = format!("{WELL_KNOWN}{}", of_resource.unwrap_or_default());
        Self {
            url: format!("{}{path}", &resource[..Position::AfterPort]),
            document: document(options, takes_proofs).to_string().into(),
            path,
        }
    }

    /// The document, to who asks for it. Scripts of other origins may read it, whatever headers they
    /// send along: it is for everybody.
    pub(in crate::middleware) fn answer(&self, request: &Request) -> Option<Response> {
        if !self.is_at(request.uri().path()) {
            return None;
        }
        let value = HeaderValue::from_static;
        let mut response = match *request.method() {
            Method::GET | Method::HEAD => {
                let mut response = Response::new(Body::from(self.document.clone()));
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, value("application/json"));
                headers.insert(CACHE_CONTROL, value("public, max-age=300"));
                response
            }
            Method::OPTIONS => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                let headers = response.headers_mut();
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, value("GET, HEAD"));
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, value("*"));
                headers.insert(ACCESS_CONTROL_MAX_AGE, value("300"));
                response
            }
            _ => return None,
        };
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value("*"));
        Some(response)
    }

    /// Whether the document is there. Some clients leave a slash at the end out, which RFC 9728,
    /// section 3.1, does not.
    fn is_at(&self, path: &str) -> bool {
        path == self.path || self.path.strip_suffix('/') == Some(path)
    }
}

fn document(options: &Options, takes_proofs: bool) -> Value {
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    // A resource without a path is written without a slash, as clients compare it to the letter.
    let resource = match options.resource.path() {
        "/" => options.resource.as_str().trim_end_matches('/'),
        _ => options.resource.as_str(),
    };
    put("resource", json!(resource));
    put(
        "authorization_servers",
        json!(options.authorization_servers),
    );
    put("bearer_methods_supported", json!(["header"]));
    if takes_proofs {
        let names = Algorithm::ALL.map(Algorithm::name);
        put("dpop_signing_alg_values_supported", json!(names));
    }
    if !options.scopes_supported.is_empty() {
        put("scopes_supported", json!(options.scopes_supported));
    }
    if let Some(name) = &options.resource_name {
        put("resource_name", json!(name));
    }
    if let Some(page) = &options.resource_documentation {
        put("resource_documentation", json!(page));
    }
    Value::Object(document)
}
