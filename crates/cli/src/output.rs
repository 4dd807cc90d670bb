//! The one voice of the program: results on standard output, everything for people on standard
//! error, one sentence each, and the exit code that goes with it.

use std::io;
use std::sync::PoisonError;

use clap::error::{ContextKind, ContextValue};

use crate::process::{Output, Process};

/// The exit code of a command that did what it was told.
pub(crate) const DONE: u8 = 0;
/// The exit code of a command that failed.
pub(crate) const FAILED: u8 = 1;
/// The exit code of a line that was not understood.
pub(crate) const MISUNDERSTOOD: u8 = 2;

/// Why a command failed: what standard error says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    /// A sentence, without a final full stop, that says what is wrong, where, and what to do.
    pub(crate) fn new(sentence: impl AsRef<str>) -> Self {
        Self(format!("Error: {}", sentence.as_ref()))
    }

    /// What is wrong, for those who say themselves that it is an error.
    pub(crate) fn sentence(&self) -> &str {
        self.0.strip_prefix("Error: ").unwrap_or(&self.0)
    }

    /// Lines that are shown as they are.
    pub(crate) const fn verbatim(text: String) -> Self {
        Self(text)
    }
}

/// Writes a text, as it is, to standard output. That nobody reads it is no failure.
pub(crate) fn print(process: &Process, text: &str) {
    drop(write(&process.out, text));
}

/// Writes a result that is nowhere else, such as a secret that is shown once.
///
/// # Errors
/// When it cannot be written. A reader that went away is no failure.
pub(crate) fn deliver(process: &Process, text: &str) -> Result<(), Failure> {
    match write(&process.out, text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!(
            "cannot write to standard output: {error}; the result is lost, but what was asked for \
             was done"
        ))),
        _ => Ok(()),
    }
}

/// Writes a sentence for people to standard error, on a line of its own.
pub(crate) fn say(process: &Process, sentence: &str) {
    drop(write(&process.err, &format!("{sentence}\n")));
}

/// Writes a text, as it is, to standard error.
pub(crate) fn show(process: &Process, text: &str) {
    drop(write(&process.err, text));
}

/// The exit code of a result, whose failure is told to people.
pub(crate) fn finish(process: &Process, result: Result<(), Failure>) -> u8 {
    match result {
        Ok(()) => DONE,
        Err(failure) => {
            say(process, &failure.to_string());
            FAILED
        }
    }
}

fn write(output: &Output, text: &str) -> io::Result<()> {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// clap's complaint as one sentence: what is wrong, the nearest valid word, where help is.
pub(crate) fn sentence(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let mut paragraphs = rendered.split("\n\n");
    let what = one_line(paragraphs.next().unwrap_or_default());
    let what = what.trim_start_matches("error: ");
    let near =
        suggestion(error).map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
    let help = paragraphs
        .find_map(|paragraph| paragraph.strip_prefix("Usage: "))
        .map_or_else(String::new, |usage| {
            format!("; see `{} --help`", words(usage))
        });
    format!("Error: {what}{near}{help}")
}

/// The nearest valid flag, command or value, if one is near.
fn suggestion(error: &clap::Error) -> Option<String> {
    [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ]
    .into_iter()
    .find_map(|kind| match error.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => words.first().cloned(),
        _ => None,
    })
}

/// The command of a usage line: the words in front of flags and placeholders.
fn words(usage: &str) -> String {
    let words = usage.split_whitespace();
    let words: Vec<&str> = words
        .take_while(|word| !word.starts_with(['[', '<', '-']))
        .collect();
    words.join(" ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::CarnetLine;

    #[test]
    fn a_line_that_is_not_understood_is_one_sentence_with_the_nearest_word() {
        for (line, what) in [
            (
                "carnet versoin",
                "did you mean `version`?; see `carnet --help`",
            ),
            ("carnet link", "<DIR>; see `carnet link --help`"),
            ("carnet completion bahs", "did you mean `bash`?"),
            ("carnet version --nope", "'--nope'"),
        ] {
            let error = CarnetLine::try_parse_from(line.split(' ')).unwrap_err();
            let sentence = sentence(&error);
            assert!(sentence.contains(what), "{line}: {sentence}");
            assert_eq!(sentence.lines().count(), 1, "{sentence}");
        }
    }
}
