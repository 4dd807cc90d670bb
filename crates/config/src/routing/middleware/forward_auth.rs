//! `forwardAuth`: asks another service who may pass.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use url::Url;

use super::pattern::pattern;
use super::pem_tls::PemTls;
use crate::document::Fields;
use crate::outbound::{insecure_skip_verify, outbound_url};
use crate::routing::pem::{HoldsPem, Pem};
use crate::rule::Pattern;
use crate::token::is_token;

/// `forwardAuth`, Traefik's: asks another service who may pass.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForwardAuth {
    /// URL of the service; http or https. 2xx lets pass, any other answer is the client's, none is
    /// 500. Required.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub address: Url,
    /// Of `https` addresses. Default: what the system trusts.
    #[serde(skip_serializing)]
    pub tls: PemTls,
    /// Whether the service is told what `X-Forwarded-*` of the request say: true, or what the
    /// gateway knows by itself: false. Default: the latter, beside those of the request that it does
    /// not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_forward_header: Option<bool>,
    /// Headers of its answer that take the place of the request's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_response_headers: Vec<String>,
    /// The same, by what their names match, written as `X-Auth-User`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub auth_response_headers_regex: Option<Pattern>,
    /// Headers of the request that the service gets. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_request_headers: Vec<String>,
    /// Cookies of its answer that the client gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_auth_cookies_to_response: Vec<String>,
    /// Header of its answer whose value is the user's name in the access log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_field: Option<String>,
    /// The service gets the body, too. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forward_body: bool,
    /// Bytes of it; requests with more are answered 401; -1: any number. Default 1 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_size: Option<i64>,
    /// Bytes of its answer; with more, requests are answered 401. Default -1: any number, which pass
    /// the gateway without being kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_body_size: Option<i64>,
    /// `Location` of its answer stays as it is; else it is made absolute. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preserve_location_header: bool,
    /// The service is asked with the request's method. Default false: `GET`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preserve_request_method: bool,
}

/// It holds no credentials: such a one is refused.
fn as_text<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str())
}

impl HoldsPem for ForwardAuth {
    fn pems(&mut self) -> Vec<&mut Pem> {
        self.tls.pems()
    }
}

/// Names that say where a message ends or whose connection it is: no answer decides that.
const FRAMING: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// Whether an answer of the service may set the header of this name, in lower case.
pub fn may_be_set(name: &str) -> bool {
    !FRAMING.contains(&name)
}

impl ForwardAuth {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let address = outbound_url(fields, "address");
        let tls = fields.map("tls", tls).unwrap_or_default();
        let auth_response_headers = names(fields, "authResponseHeaders");
        for name in &auth_response_headers {
            if !may_be_set(&name.to_ascii_lowercase()) {
                let message = format!("`{name}` belongs to the connection; nobody may set it");
                fields.error("authResponseHeaders", message);
            }
        }
        let regex = fields.text("authResponseHeadersRegex");
        let regex = regex.filter(|text| !text.is_empty());
        let auth_response_headers_regex =
            regex.and_then(|_| pattern(fields, "authResponseHeadersRegex"));
        let max_body_size = fields.integer("maxBodySize");
        let header_field = fields.text("headerField").filter(|name| !name.is_empty());
        if header_field.as_deref().is_some_and(|name| !is_token(name)) {
            fields.error("headerField", "this is no name of a header");
        }
        let mut flag = |key| fields.boolean(key).unwrap_or(false);
        let (forward_body, preserve_location_header, preserve_request_method) = (
            flag("forwardBody"),
            flag("preserveLocationHeader"),
            flag("preserveRequestMethod"),
        );
        Some(Self {
            tls,
            trust_forward_header: fields.boolean("trustForwardHeader"),
            auth_response_headers,
            auth_response_headers_regex,
            auth_request_headers: names(fields, "authRequestHeaders"),
            add_auth_cookies_to_response: fields.texts("addAuthCookiesToResponse"),
            header_field,
            forward_body,
            max_body_size,
            max_response_body_size: fields.integer("maxResponseBodySize"),
            preserve_location_header,
            preserve_request_method,
            address: address?,
        })
    }
}

/// Names of headers.
fn names(fields: &mut Fields<'_>, key: &'static str) -> Vec<String> {
    let names = fields.texts(key);
    for name in names.iter().filter(|name| !is_token(name)) {
        fields.error(key, format!("`{name}` is no name of a header"));
    }
    names
}

/// `tls`.
fn tls(fields: &mut Fields<'_>) -> PemTls {
    if fields.has("caOptional") {
        fields.warn("caOptional", "does nothing; remove it");
    }
    let skips = insecure_skip_verify(fields);
    PemTls::read(fields, skips)
}
