//! What a command line prints, and its exit code.

use serde_json::Value;

use super::answer::short;
use super::pattern::{Values, matches};
use super::{Finding, json};
use crate::scenario::Outcome;

/// What a call printed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed {
    /// The exit code; absent when it was ended by a signal.
    pub exit: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Tells what differs. Standard output is for scripts: it must be the same. Standard error is for
/// people: only the API's error in it, and whether there is something at all, must be.
pub(crate) fn outcomes(expected: &Outcome, found: &Printed, values: &Values) -> Vec<Finding> {
    let mut findings = Vec::new();
    if expected.exit != found.exit {
        let word = |exit: Option<i32>| exit.map_or("none".to_owned(), |code| code.to_string());
        findings.push(Finding::new("exit", word(expected.exit), word(found.exit)));
    }
    stdout(&expected.stdout, &found.stdout, values, &mut findings);
    stderr(&expected.stderr, &found.stderr, values, &mut findings);
    findings
}

fn stdout(expected: &str, found: &str, values: &Values, findings: &mut Vec<Finding>) {
    if matches(&single_tabs(expected), values, &single_tabs(found)) {
        return;
    }
    // Numbers are no JSON while they are placeholders.
    let quoted = expected.replace(":<unix>", ":\"<unix>\"");
    let before = findings.len();
    if let (Ok(one), Ok(other)) = (serde_json::from_str(&quoted), serde_json::from_str(found)) {
        json::compare("stdout", &one, &other, values, findings);
    }
    if findings.len() == before {
        lines(expected, found, values, findings);
    }
}

/// Lines of texts of the same length are compared one by one; `name: value` is called `stdout.name`.
fn lines(expected: &str, found: &str, values: &Values, findings: &mut Vec<Finding>) {
    let whole = |text: &str| single_tabs(text).split('\n').map(str::to_owned).collect();
    let (one, other): (Vec<String>, Vec<String>) = (whole(expected), whole(found));
    if one.len() != other.len() {
        findings.push(Finding::new("stdout", short(expected), short(found)));
        return;
    }
    for (number, (line, other)) in one.iter().zip(&other).enumerate() {
        if !matches(line, values, other) {
            let at = match line.split_once(": ") {
                Some((name, _)) if !name.contains(' ') => format!("stdout.{name}"),
                _ => format!("stdout line {}", number + 1),
            };
            findings.push(Finding::new(&at, short(line), short(other)));
        }
    }
}

fn stderr(expected: &str, found: &str, values: &Values, findings: &mut Vec<Finding>) {
    if expected.is_empty() != found.is_empty() {
        findings.push(Finding::new("stderr", short(expected), short(found)));
        return;
    }
    let Some(error) = leading_json(expected) else {
        return;
    };
    match leading_json(found) {
        Some(other) => json::compare("stderr", &error, &other, values, findings),
        None => findings.push(Finding::new("stderr", error, short(found))),
    }
}

/// The JSON object that a text begins with.
fn leading_json(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text)
        .into_iter::<Value>()
        .next()?
        .ok()
        .filter(Value::is_object)
}

/// Tables are aligned by tabs whose number depends on the length of tokens.
fn single_tabs(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\t' || !single.ends_with('\t') {
            single.push(character);
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(exit: i32, stdout: &str, stderr: &str) -> Outcome {
        Outcome {
            exit: Some(exit),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    fn places(expected: &Outcome, exit: i32, stdout: &str, stderr: &str) -> Vec<String> {
        let printed = Printed {
            exit: Some(exit),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        let findings = outcomes(expected, &printed, &Values::new());
        findings.into_iter().map(|finding| finding.at).collect()
    }

    #[test]
    fn what_a_script_reads_counts() {
        let expected = outcome(0, "{\"a\":1,\"b\":<unix>}\n", "");
        assert!(places(&expected, 0, "{\"a\":1,\"b\":17}\n", "").is_empty());
        assert_eq!(
            places(&expected, 1, "{\"a\":2,\"b\":17}\n", "x"),
            ["exit", "stdout.a", "stderr"]
        );
        assert_eq!(places(&expected, 0, "{\"a\":1,\"b\":17}", ""), ["stdout"]);
        let table = outcome(0, "ID\t\t<uuid>\t\n", "");
        assert!(
            places(
                &table,
                0,
                "ID\t0b8d4a3c-1f2e-4d5c-8b7a-012345678901\t\t\t\n",
                ""
            )
            .is_empty()
        );
    }

    #[test]
    fn of_messages_only_the_code_counts() {
        let error = "{\n  \"error\": \"invalid_client\",\n  \"error_description\": \"<text>\"\n}\nFailed.\n";
        let expected = outcome(1, "", error);
        let other = "{\"error\":\"invalid_client\",\"error_description\":\"ours\"}\nSee above.\n";
        assert!(places(&expected, 1, "", other).is_empty());
        let code = "{\"error\":\"invalid_grant\",\"error_description\":\"ours\"}\n";
        assert_eq!(places(&expected, 1, "", code), ["stderr.error"]);
    }
}
