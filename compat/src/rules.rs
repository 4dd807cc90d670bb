//! What is not compared: deliberate differences (`differences.yaml`), and what a server is not
//! asked yet (`not_run.yaml`).

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use regex::Regex;
use serde::Deserialize;

use crate::compare::Finding;
use crate::scenario::{Answer, Outcome};

/// Both files.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Deliberate differences.
    pub differences: Vec<Difference>,
    /// Steps that are left out.
    pub not_run: Vec<NotRun>,
}

/// A deliberate difference.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Difference {
    /// Its name in the documentation.
    pub id: String,
    /// What is different.
    pub what: String,
    /// What the other product does.
    pub other: String,
    /// What ours does.
    pub ours: String,
    /// Why.
    pub why: String,
    /// Where it shows.
    pub shows: Vec<Place>,
}

/// Where a difference shows, and what stands there instead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// The scenario, `*` for any.
    pub scenario: String,
    /// The steps; none means all.
    #[serde(default)]
    pub steps: Vec<String>,
    /// The parts of the answer, `*` for any text.
    #[serde(default)]
    pub at: Vec<String>,
    /// The whole answer in the place of the expected one.
    #[serde(default)]
    pub instead: Option<Answer>,
    /// The same for a call of the command line.
    #[serde(default)]
    pub instead_outcome: Option<Outcome>,
}

/// Steps that are left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotRun {
    /// The scenario.
    pub scenario: String,
    /// The steps; none means all.
    #[serde(default)]
    pub steps: Vec<String>,
    /// Why.
    pub reason: String,
}

impl Rules {
    /// Reads both files from a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        Ok(Self {
            differences: file(&folder.join("differences.yaml"))?,
            not_run: file(&folder.join("not_run.yaml"))?,
        })
    }

    /// The differences as the documentation shows them.
    pub(crate) fn markdown(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::from("| what | other | ours | why |\n|---|---|---|---|\n");
        for difference in &self.differences {
            let cells = [
                &difference.what,
                &difference.other,
                &difference.ours,
                &difference.why,
            ];
            writeln!(text, "| {} |", cells.map(|text| cell(text)).join(" | "))?;
        }
        Ok(text)
    }

    /// Why a whole scenario is left out.
    pub(crate) fn scenario_left_out(&self, scenario: &str) -> Option<&str> {
        let rule = |rule: &&NotRun| rule.scenario == scenario && rule.steps.is_empty();
        self.not_run
            .iter()
            .find(rule)
            .map(|rule| rule.reason.as_str())
    }

    /// Why a step is left out.
    pub(crate) fn left_out(&self, scenario: &str, step: &str) -> Option<&str> {
        self.not_run
            .iter()
            .find(|rule| {
                rule.scenario == scenario
                    && (rule.steps.is_empty() || rule.steps.iter().any(|name| name == step))
            })
            .map(|rule| rule.reason.as_str())
    }

    /// The difference, by its index, that puts another answer in the place of the expected one.
    pub(crate) fn instead(&self, scenario: &str, step: &str) -> Option<(usize, &Answer)> {
        self.places(scenario, step)
            .find_map(|(index, place)| Some((index, place.instead.as_ref()?)))
    }

    /// The same for a call.
    pub(crate) fn instead_outcome(&self, scenario: &str, step: &str) -> Option<(usize, &Outcome)> {
        self.places(scenario, step)
            .find_map(|(index, place)| Some((index, place.instead_outcome.as_ref()?)))
    }

    /// The difference, by its index, that a finding shows.
    pub(crate) fn explains(&self, scenario: &str, step: &str, finding: &Finding) -> Option<usize> {
        self.places(scenario, step)
            .find(|(_, place)| place.at.iter().any(|glob| covers(glob, &finding.at)))
            .map(|(index, _)| index)
    }

    fn places<'a, 'b>(
        &'a self,
        scenario: &'b str,
        step: &'b str,
    ) -> impl Iterator<Item = (usize, &'a Place)> {
        self.differences
            .iter()
            .enumerate()
            .flat_map(|(index, difference)| difference.shows.iter().map(move |p| (index, p)))
            .filter(move |(_, place)| {
                covers(&place.scenario, scenario)
                    && (place.steps.is_empty() || place.steps.iter().any(|name| name == step))
            })
    }
}

/// A text on one line, fit for a table.
fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn file<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    serde_saphyr::from_str(&text).with_context(|| format!("cannot understand {shown}"))
}

/// Whether a glob, in which `*` is any text, covers a text.
fn covers(glob: &str, text: &str) -> bool {
    let pattern = glob
        .split('*')
        .map(regex::escape)
        .collect::<Vec<_>>()
        .join(".*");
    Regex::new(&format!(r"\A{pattern}\z")).is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let place = |scenario: &str, steps: &[&str], at: &str| Place {
            scenario: scenario.to_owned(),
            steps: steps.iter().map(|&step| step.to_owned()).collect(),
            at: vec![at.to_owned()],
            instead: None,
            instead_outcome: None,
        };
        Rules {
            differences: vec![Difference {
                id: "smaller-keys".to_owned(),
                what: String::new(),
                other: String::new(),
                ours: String::new(),
                why: String::new(),
                shows: vec![
                    place("*", &[], "body.keys.*.n"),
                    place("a", &["one"], "header pragma"),
                ],
            }],
            not_run: Vec::new(),
        }
    }

    #[test]
    fn a_difference_explains_only_what_it_names() {
        let finding = |at: &str| Finding {
            at: at.to_owned(),
            expected: String::new(),
            found: String::new(),
        };
        let rules = rules();
        for (scenario, step, at, explained) in [
            ("x", "y", "body.keys.0.n", true),
            ("x", "y", "body.keys.0.nn", false),
            ("a", "one", "header pragma", true),
            ("a", "two", "header pragma", false),
            ("b", "one", "header pragma", false),
        ] {
            let by = rules.explains(scenario, step, &finding(at));
            assert_eq!(by.is_some(), explained, "{scenario} {step} {at}");
        }
    }
}
