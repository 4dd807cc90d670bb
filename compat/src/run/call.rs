//! One call of the command line.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::compare::{Printed, Values, fill};
use crate::scenario::CallStep;

const PATIENCE: Duration = Duration::from_secs(30);

/// Calls the program. The inner error says why it cannot be called.
pub(super) async fn perform(
    program: &Path,
    step: &CallStep,
    values: &Values,
    folder: &Path,
) -> Result<std::result::Result<Printed, String>> {
    let missing = |name: String| format!("needs `{name}`, which no step before it kept");
    let filled: std::result::Result<Vec<String>, String> =
        step.args.iter().map(|text| fill(text, values)).collect();
    let args = match filled.map_err(missing) {
        Ok(args) => args,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut env = BTreeMap::new();
    for (name, value) in &step.env {
        match fill(value, values).map_err(missing) {
            Ok(value) => env.insert(name, value),
            Err(reason) => return Ok(Err(reason)),
        };
    }
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .envs(env)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot call {}", program.display()))?;
    let mut stdin = child
        .stdin
        .take()
        .context("the call has a standard input")?;
    let input = step.stdin.clone().unwrap_or_default();
    // A call that reads nothing may be over by now.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .with_context(|| format!("{}: still running after {PATIENCE:?}", step.name))??;
    Ok(Ok(Printed {
        exit: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }))
}

/// The values that a step keeps of the JSON that was printed.
pub(super) fn kept(keep: &BTreeMap<String, String>, printed: &Printed) -> Values {
    let json: Value = serde_json::from_str(&printed.stdout).unwrap_or_default();
    keep.iter()
        .filter_map(|(name, member)| Some((name.clone(), json.get(member)?.as_str()?.to_owned())))
        .collect()
}
