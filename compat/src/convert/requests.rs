//! Recordings over HTTP.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{text, text_map, without_wording};
use crate::scenario::{Answer, Body, Jwt, RequestStep, Scenario, Send};

/// A recording as a scenario.
pub(super) fn scenario(recording: &Value) -> Result<Scenario> {
    let steps = recording.get("steps").and_then(Value::as_array);
    let steps = steps.context("there are no steps")?;
    let kept: Vec<String> = steps
        .iter()
        .flat_map(|step| text_map(step.get("capture")).into_keys())
        .collect();
    let mut requests: Vec<RequestStep> = Vec::new();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for step in steps {
        let name = text(step, "name");
        let mut step = self::step(step, &kept).with_context(|| format!("step {name:?}"))?;
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
    let given = text_map(recording.get("env"));
    if !given.is_empty() {
        return given;
    }
    text_map(recording.get("config"))
        .into_iter()
        // Values with spaces are remarks.
        .filter(|(_, value)| !value.is_empty() && !value.contains(' '))
        .map(|(key, value)| (key.to_uppercase().replace('.', "_"), value))
        .collect()
}

fn step(step: &Value, kept: &[String]) -> Result<RequestStep> {
    let request = step.get("request").context("there is no request")?;
    let response = step.get("response").context("there is no response")?;
    Ok(RequestStep {
        name: text(step, "name"),
        wait_seconds: step.get("wait_before_s").and_then(Value::as_f64),
        send: send(request, kept)?,
        hook: step.get("hook").cloned(),
        expect: answer(response)?,
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
        let pairs = serde_json::from_value(pairs.clone()).ok()?;
        return Some(Body::Form(pairs));
    }
    if let Some(json) = body.get("json") {
        return Some(Body::Json(json.clone()));
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

fn answer(response: &Value) -> Result<Answer> {
    let status = response.get("status").context("there is no status")?;
    let headers = response.get("headers").context("there are no headers")?;
    let body = response.get("body").cloned().unwrap_or_default();
    let mut json = body.get("json").cloned();
    if let Some(json) = &mut json {
        without_wording(json);
    }
    let seconds = response.get("seconds_from_now").cloned();
    Ok(Answer {
        status: serde_json::from_value(status.clone())?,
        headers: serde_json::from_value(headers.clone())?,
        json,
        text: body.get("text").map(|_| "<text>".to_owned()),
        no_final_newline: response.get("no_final_newline").is_some(),
        seconds_from_now: seconds.map_or(Ok(BTreeMap::new()), serde_json::from_value)?,
        access_token: jwt(response.get("access_token_decoded"))?,
        id_token: jwt(response.get("id_token_decoded"))?,
    })
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
