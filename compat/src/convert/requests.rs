//! Recordings over HTTP.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{assertions, text, text_map, without_wording};
use crate::scenario::{Answer, Body, Jwt, RequestStep, Scenario, Send};

/// What steps need to know of the whole recording.
struct Whole {
    /// The names of the values that steps keep.
    kept: Vec<String>,
    /// Whether it says which bodies end without a line end.
    notes_line_ends: bool,
}

/// A recording as a scenario.
pub(super) fn scenario(recording: &Value) -> Result<Scenario> {
    let steps = recording.get("steps").and_then(Value::as_array);
    let steps = steps.context("there are no steps")?;
    let captures = steps.iter().map(|step| text_map(step.get("capture")));
    let whole = Whole {
        kept: captures.flat_map(BTreeMap::into_keys).collect(),
        notes_line_ends: recording.get("server").is_some(),
    };
    let mut requests: Vec<RequestStep> = Vec::new();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for step in steps {
        let name = text(step, "name");
        let mut step = self::step(step, &whole).with_context(|| format!("step {name:?}"))?;
        let times = times.entry(name).or_default();
        *times += 1;
        if *times > 1 {
            step.name = format!("{} ({times})", step.name);
        }
        requests.push(step);
    }
    Ok(Scenario {
        name: text(recording, "scenario"),
        about: text(recording, "why"),
        env: environment(recording),
        requests,
        ..Scenario::default()
    })
}

/// The settings: given as variables, or as keys of the configuration.
fn environment(recording: &Value) -> BTreeMap<String, String> {
    let mut env = text_map(recording.get("env"));
    if env.is_empty() {
        env = text_map(recording.get("config"))
            .into_iter()
            // Values with spaces are remarks; `jwt` is the tutorial's own setting.
            .filter(|(_, value)| !value.is_empty() && !value.contains(' ') && value != "jwt")
            .map(|(key, value)| (key.to_uppercase().replace('.', "_"), value))
            .collect();
    }
    if recording.to_string().contains(OTHER_ISSUER) {
        for name in ["URLS_SELF_ISSUER", "URLS_SELF_PUBLIC"] {
            env.insert(name.to_owned(), OTHER_ISSUER.to_owned());
        }
    }
    env
}

/// The address of a second server, which a few recordings do not mention among its settings.
const OTHER_ISSUER: &str = "http://127.0.0.1:5444";

fn step(step: &Value, recording: &Whole) -> Result<RequestStep> {
    let request = step.get("request").context("there is no request")?;
    let response = step.get("response").context("there is no response")?;
    Ok(RequestStep {
        name: text(step, "name"),
        wait_seconds: step.get("wait_before_s").and_then(Value::as_f64),
        send: send(request, &recording.kept)?,
        hook: step
            .get("hook")
            .map(|hook| serde_json::from_value(hook.clone()))
            .transpose()?,
        expect: answer(response, recording.notes_line_ends)?,
        keep: text_map(step.get("capture")),
    })
}

fn send(request: &Value, kept: &[String]) -> Result<Send> {
    let mut headers = Vec::new();
    let mut cookies = false;
    let fields = request.get("headers").and_then(Value::as_object);
    for (name, value) in fields.into_iter().flatten() {
        let values = match value {
            Value::Array(values) => values.clone(),
            one => vec![one.clone()],
        };
        for value in values.iter().filter_map(Value::as_str) {
            if name == "Cookie" {
                cookies = true;
            } else {
                headers.push((name.clone(), literal(value, kept)));
            }
        }
    }
    let port = request.get("target").context("there is no target")?;
    Ok(Send {
        to: serde_json::from_value(port.clone())?,
        method: text(request, "method"),
        path: literal(&text(request, "path"), kept),
        headers,
        cookies,
        body: request.get("body").and_then(|body| sent_body(body, kept)),
    })
}

fn sent_body(body: &Value, kept: &[String]) -> Option<Body> {
    if let Some(pairs) = body.get("form") {
        let pairs: Vec<(String, Value)> = serde_json::from_value(pairs.clone()).ok()?;
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name, assertions::value(value)));
        return Some(Body::Form(pairs.collect()));
    }
    if let Some(json) = body.get("json") {
        return Some(Body::Json(assertions::with_open_keys(json.clone())));
    }
    let text = body.get("text").and_then(Value::as_str)?;
    let repeated = body.get("repeat").and_then(Value::as_u64).unwrap_or(0);
    let text = text.repeat(usize::try_from(repeated).ok()? + 1);
    Some(Body::Text(literal(&text, kept)))
}

/// A value that no step keeps is a name that was never registered.
fn literal(text: &str, kept: &[String]) -> String {
    let mut result = text.to_owned();
    for part in text.split("{{").skip(1) {
        let name = part.split("}}").next().unwrap_or_default();
        let is_known = kept.iter().any(|kept| kept == name);
        if let Some(plain) = name.strip_suffix(".client_id").filter(|_| !is_known) {
            result = result.replace(&format!("{{{{{name}}}}}"), plain);
        }
    }
    result
}

fn answer(response: &Value, notes_line_ends: bool) -> Result<Answer> {
    let status = response.get("status").context("there is no status")?;
    let headers = response.get("headers").context("there are no headers")?;
    let headers: Vec<(String, String)> = serde_json::from_value(headers.clone())?;
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name, field(&value)));
    let body = response.get("body").cloned().unwrap_or_default();
    let mut json = body.get("json").cloned();
    if let Some(json) = &mut json {
        without_wording(json);
        // What is left of a lifetime depends on how long the answer took.
        if let Some(left) = json.get_mut("expires_in").filter(|left| left.is_number()) {
            *left = Value::String(format!("<about {left}>"));
        }
        // The recorded version is not a fact about the API.
        if let Some(version) = json.get_mut("version") {
            *version = Value::String("<text>".to_owned());
        }
    }
    let seconds = response.get("seconds_from_now").cloned();
    Ok(Answer {
        status: serde_json::from_value(status.clone())?,
        headers: headers.collect(),
        json,
        text: body.get("text").map(|_| "<text>".to_owned()),
        final_newline: notes_line_ends.then_some(response.get("no_final_newline").is_none()),
        seconds_from_now: seconds.map_or(Ok(BTreeMap::new()), serde_json::from_value)?,
        access_token: jwt(response.get("access_token_decoded"))?,
        id_token: jwt(response.get("id_token_decoded"))?,
    })
}

/// A field without the wording of an error in it, be it a challenge or a query.
fn field(value: &str) -> String {
    let mut result = String::new();
    let mut rest = value;
    while let Some(at) = rest.find("error_description=") {
        let (before, description) = rest.split_at(at + "error_description=".len());
        let (open, end) = match description.strip_prefix('"') {
            Some(quoted) => (
                "\"",
                quoted.find('"').map_or(description.len(), |end| end + 1),
            ),
            None => ("", description.find('&').unwrap_or(description.len())),
        };
        result.push_str(before);
        result.push_str(open);
        result.push_str("<text>");
        rest = &description[end..];
    }
    result + rest
}

fn jwt(decoded: Option<&Value>) -> Result<Option<Jwt>> {
    let Some(decoded) = decoded else {
        return Ok(None);
    };
    let mut decoded = decoded.clone();
    // The length of the whole follows from its parts.
    if let Some(members) = decoded.as_object_mut() {
        members.shift_remove("length");
    }
    Ok(Some(serde_json::from_value(decoded)?))
}
