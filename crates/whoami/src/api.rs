//! `/api`: what `/` tells, as JSON in the form of Go's encoder.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::app::Options;
use crate::query::Query;
use crate::request::{headers, host, target};
use crate::response::{Response, error, full};

/// The document. Empty members are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    hostname: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ip: Vec<IpAddr>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, Vec<String>>,
    url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    host: &'a str,
    method: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    remote_addr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environ: Option<&'a BTreeMap<String, String>>,
}

/// One line of JSON.
pub(crate) fn answer(
    options: &Options,
    request: &Request<Incoming>,
    query: &Query,
    peer: SocketAddr,
) -> Response {
    let values = |values: Vec<&HeaderValue>| -> Vec<String> {
        values
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    };
    let headers = headers(request.headers()).into_iter();
    let document = Document {
        hostname: &options.hostname,
        ip: crate::interfaces::addresses(),
        headers: headers.map(|(name, of)| (name, values(of))).collect(),
        url: target(request.uri()),
        host: host(request),
        method: request.method().as_str(),
        name: &options.name,
        remote_addr: peer.to_string(),
        environ: Some(&options.env).filter(|env| query.is_true("env") && !env.is_empty()),
    };
    let mut line = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut line, GoJson);
    if let Err(cause) = document.serialize(&mut serializer) {
        return error(StatusCode::INTERNAL_SERVER_ERROR, &cause.to_string());
    }
    line.push(b'\n');
    let mut response = full(line);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Go escapes what a browser could take for markup or for the end of a line.
struct GoJson;

impl Formatter for GoJson {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            CompactFormatter.write_string_fragment(writer, &rest[..at])?;
            let mut characters = rest[at..].chars();
            if let Some(character) = characters.next() {
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = characters.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}
