//! From recordings of a real Hydra to scenario files. Facts are kept; the wording of its messages,
//! pages and help is not: `<text>` stands in its place.

mod assertions;
mod calls;
mod requests;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::scenario::Scenario;

/// Reads `http/*.json` and `cli/NN-*.json` below a folder and writes scenarios to another.
pub(crate) fn convert(recordings: &Path, scenarios: &Path) -> Result<usize> {
    let mut written = 0;
    for (from, to) in [("http", "hydra"), ("cli", "hydra-cli")] {
        let target = scenarios.join(to);
        std::fs::create_dir_all(&target)?;
        let mut previous: Option<Scenario> = None;
        for file in numbered(&recordings.join(from))? {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let recording: Value = serde_json::from_str(&text)
                .with_context(|| format!("{} is no JSON", file.display()))?;
            let scenario = match from {
                "http" => requests::scenario(&recording),
                _ => calls::scenario(&recording, previous.as_ref()),
            }
            .with_context(|| format!("cannot convert {}", file.display()))?;
            let name = file.file_name().context("a file has a name")?;
            std::fs::write(target.join(name), write::text(&scenario)?)?;
            previous = Some(scenario);
            written += 1;
        }
    }
    ensure!(written > 0, "{} holds no recordings", recordings.display());
    Ok(written)
}

/// The files whose names begin with a number, in their order.
fn numbered(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        if name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(".json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn text(value: &Value, member: &str) -> String {
    let text = value.get(member).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn text_map(value: Option<&Value>) -> BTreeMap<String, String> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// Takes the wording out of an error: what is for people becomes `<text>`, codes stay.
fn without_wording(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let is_wording = match (name.as_str(), member.as_str()) {
                    (_, Some("")) => false,
                    ("error_description" | "error_hint" | "error_debug", Some(_))
                    | ("message" | "reason" | "debug", Some(_)) => true,
                    ("error", Some(code)) => !is_code(code),
                    _ => false,
                };
                if is_wording {
                    *member = Value::String("<text>".to_owned());
                } else {
                    without_wording(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_wording),
        _ => {}
    }
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn facts_are_kept_and_wording_is_not() {
        let recording = json!({
            "scenario": "s", "why": "w", "config": {"strategies.access_token": "opaque"},
            "steps": [{
                "name": "n", "why": "",
                "request": {"target": "public", "method": "POST", "path": "/oauth2/token",
                    "headers": {"Authorization": "Basic base64({{nobody.client_id}}:x)"},
                    "body": {"form": [["grant_type", "client_credentials"]]}},
                "response": {"status": 401,
                    "headers": [["WWW-Authenticate", "Bearer error=\"e\",error_description=\"Words.\""]],
                    "body": {"json": {"error": "invalid_client", "error_description": "Words.", "expires_in": 9}}}
            }]
        });
        let scenario = requests::scenario(&recording).unwrap();
        assert_eq!(scenario.env["STRATEGIES_ACCESS_TOKEN"], "opaque");
        let step = &scenario.requests[0];
        assert_eq!(step.send.headers[0].1, "Basic base64(nobody:x)");
        let challenge = &step.expect.headers[0].1;
        assert_eq!(challenge, "Bearer error=\"e\",error_description=\"<text>\"");
        assert_eq!(
            step.expect.json,
            Some(
                json!({"error": "invalid_client", "error_description": "<text>", "expires_in": "<about 9>"})
            )
        );
        assert_eq!(step.expect.final_newline, None);
        let text = write::text(&scenario).unwrap();
        let read: Scenario = serde_json::from_str(&text).unwrap();
        assert_eq!(write::text(&read).unwrap(), text);
    }

    #[test]
    fn of_a_call_data_codes_and_streams_are_kept() {
        let recording = json!({
            "scenario": "create-oauth2-client", "why": "",
            "steps": [
                {"args": ["create", "client", "--endpoint", "http://127.0.0.1:4445/"], "exit": 0,
                    "stdout": "{\"client_id\":\"<uuid>\"}\n", "stderr": ""},
                {"args": ["get", "client"], "exit": 1, "stdout": "",
                    "stderr": "{\"error\": \"Words of it\", \"error_description\": \"\"}\nWords.\n"},
                {"args": ["create"], "exit": 0, "stdout": "Words\n\n<usage>\n", "stderr": ""}
            ]
        });
        let scenario = calls::scenario(&recording, None).unwrap();
        let [create, get, help] = scenario.calls.as_slice() else {
            unreachable!()
        };
        assert_eq!(create.args[3], "{{admin}}/");
        assert_eq!(create.keep["c1"], "client_id");
        assert_eq!(create.expect.stdout, "{\"client_id\":\"<uuid>\"}\n");
        let error = "{\"error\":\"<text>\",\"error_description\":\"\"}\n<text>";
        assert_eq!(get.expect.stderr, error);
        assert_eq!(help.expect.stdout, "<text>");
    }
}
