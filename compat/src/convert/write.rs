//! Scenario files as people read them: a line for what is sent and one for what is expected.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::scenario::Scenario;

/// The text of a scenario file.
pub(super) fn text(scenario: &Scenario) -> Result<String> {
    let value = serde_json::to_value(scenario)?;
    let members = value.as_object().context("a scenario is an object")?;
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::Array(steps) => format!("[\n{}\n  ]", steps_text(steps)),
                other => other.to_string(),
            };
            format!("  {name:?}: {text}")
        })
        .collect();
    Ok(format!("{{\n{}\n}}\n", members.join(",\n")))
}

fn steps_text(steps: &[Value]) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|step| {
            let members = step.as_object().into_iter().flatten();
            let lines: Vec<String> = members
                .map(|(name, value)| format!("      {name:?}: {value}"))
                .collect();
            format!("    {{\n{}\n    }}", lines.join(",\n"))
        })
        .collect();
    steps.join(",\n")
}
