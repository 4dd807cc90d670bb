//! One request over a connection of its own, sent as the scenario says it and in no way improved.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use regex::Regex;
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;

use super::assertion;
use super::server::Server;
use crate::compare::{Received, Values, fill};
use crate::scenario::{Body, Port, RequestStep};

const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a step's request. The inner error says why it cannot be sent.
pub(super) async fn perform(
    step: &RequestStep,
    server: &Server,
    values: &Values,
    cookies: Option<String>,
) -> Result<std::result::Result<Received, String>> {
    let mut request = match prepare(step, values) {
        Ok(request) => request,
        Err(reason) => return Ok(Err(reason)),
    };
    if let Some(cookies) = cookies.filter(|cookies| !cookies.is_empty()) {
        request.headers.push(("Cookie".to_owned(), cookies));
    }
    if let Some(seconds) = step.wait_seconds {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }
    let base = match step.send.to {
        Port::Public => &server.public,
        Port::Admin => &server.admin,
    };
    let received = tokio::time::timeout(PATIENCE, send(base, request));
    let received = received
        .await
        .with_context(|| format!("{}: no answer in {PATIENCE:?}", step.name))?
        .with_context(|| format!("{}: no answer", step.name))?;
    Ok(Ok(received))
}

/// Whether the server says that it is ready.
pub(super) async fn is_ready(server: &Server) -> bool {
    for base in [&server.public, &server.admin] {
        let request = Prepared {
            method: "GET".to_owned(),
            path: "/health/ready".to_owned(),
            headers: Vec::new(),
            body: String::new(),
        };
        if !send(base, request)
            .await
            .is_ok_and(|answer| answer.status == 200)
        {
            return false;
        }
    }
    true
}

/// A request with all values put in.
struct Prepared {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn prepare(step: &RequestStep, values: &Values) -> std::result::Result<Prepared, String> {
    let mut headers = Vec::new();
    for (name, value) in &step.send.headers {
        headers.push((name.clone(), credentials(&filled(value, values)?)));
    }
    let (content_type, body) = match &step.send.body {
        None => (None, String::new()),
        Some(Body::Text(text)) => (None, filled(text, values)?),
        Some(Body::Json(json)) => {
            let text = filled(&with_keys(json.clone())?.to_string(), values)?;
            (Some("application/json"), text)
        }
        Some(Body::Form(pairs)) => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in pairs {
                let text = match value {
                    Value::String(text) => filled(text, values)?,
                    other => assertion_of(other, values)?,
                };
                form.append_pair(name, &text);
            }
            (Some("application/x-www-form-urlencoded"), form.finish())
        }
    };
    let says_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
    if let Some(content_type) = content_type
        && !headers.iter().any(says_type)
    {
        headers.push(("Content-Type".to_owned(), content_type.to_owned()));
    }
    Ok(Prepared {
        method: step.send.method.clone(),
        path: filled(&step.send.path, values)?,
        headers,
        body,
    })
}

/// The assertion that a value of a form describes.
fn assertion_of(value: &Value, values: &Values) -> std::result::Result<String, String> {
    let described = value
        .get("assertion")
        .ok_or("needs a value of an unknown kind")?;
    let described = filled(&described.to_string(), values)?;
    let described = serde_json::from_str(&described).map_err(|error| error.to_string())?;
    let now = seconds_since_1970().map_err(|error| error.to_string())?;
    assertion::made(&described, now)
}

fn filled(text: &str, values: &Values) -> std::result::Result<String, String> {
    fill(text, values).map_err(|name| format!("needs `{name}`, which no step before it kept"))
}

/// Encodes the `TEXT` of `Basic base64(TEXT)`.
fn credentials(value: &str) -> String {
    let encoded = value
        .split_once("base64(")
        .and_then(|(scheme, rest)| Some((scheme, rest.strip_suffix(')')?)));
    match encoded {
        Some((scheme, text)) => format!("{scheme}{}", BASE64_STANDARD.encode(text)),
        None => value.to_owned(),
    }
}

/// Puts a key in the place of each `{"generated_key": ...}`: for RSA the one that signs assertions,
/// else that of RFC 7515, appendix A.3.
fn with_keys(value: Value) -> std::result::Result<Value, String> {
    match value {
        Value::Object(members) => match members.get("generated_key") {
            Some(Value::Object(wanted)) => key(wanted.clone()),
            _ => members
                .into_iter()
                .map(|(name, value)| Ok((name, with_keys(value)?)))
                .collect(),
        },
        Value::Array(items) => items.into_iter().map(with_keys).collect(),
        other => Ok(other),
    }
}

fn key(mut members: Map<String, Value>) -> std::result::Result<Value, String> {
    if members.get("kty") == Some(&json!("RSA")) {
        members.extend(assertion::registered_members()?);
        return Ok(members.into());
    }
    let is_private = members.shift_remove("private") == Some(json!(true));
    let mut put = |name: &str, value: &str| members.insert(name.to_owned(), json!(value));
    put("x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    put("y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    if is_private {
        put("d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    }
    Ok(members.into())
}

async fn send(base: &str, prepared: Prepared) -> Result<Received> {
    let authority = base.trim_start_matches("http://");
    let asked_at = seconds_since_1970()?;
    let stream = TcpStream::connect(authority).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    // A link may be a whole URL, also one by which others find the server.
    let path = match url::Url::parse(&prepared.path) {
        Ok(url) => url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        Err(_) => prepared.path.clone(),
    };
    let mut request = Request::builder()
        .method(prepared.method.as_str())
        .uri(path)
        .header("Host", authority);
    for (name, value) in &prepared.headers {
        request = request.header(name, value);
    }
    let body = Full::new(Bytes::from(prepared.body));
    let (head, body) = sender.send_request(request.body(body)?).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    drop(sender);
    connection.abort();
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    Ok(Received {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        asked_at,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock that the server has, which is another process"
)]
fn seconds_since_1970() -> Result<i64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_secs())?)
}

/// The values that a step keeps of its answer.
pub(super) fn kept(keep: &BTreeMap<String, String>, received: &Received) -> Values {
    let body = received.json().unwrap_or_default();
    keep.iter()
        .filter_map(|(name, place)| {
            let value = match place
                .strip_prefix("header:")
                .and_then(|rest| rest.split_once('~'))
            {
                Some((header, pattern)) => header_value(received, header, pattern)?,
                None => body.get(place)?.as_str()?.to_owned(),
            };
            Some((name.clone(), value))
        })
        .collect()
}

fn header_value(received: &Received, header: &str, pattern: &str) -> Option<String> {
    let pattern = Regex::new(pattern).ok()?;
    let header = header.to_lowercase();
    received
        .headers
        .iter()
        .filter(|(name, _)| *name == header)
        .find_map(|(_, value)| Some(pattern.captures(value)?.get(1)?.as_str().to_owned()))
}
