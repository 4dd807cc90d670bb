//! What a run found, for people: differences first, what was left out last.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use crate::compare::Finding;
use crate::rules::Rules;

/// How a step went.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// As expected.
    Same,
    /// As expected but for deliberate differences (by index).
    Listed(BTreeSet<usize>),
    /// Otherwise.
    Differs(Vec<Finding>),
    /// Left out, and why.
    NotRun(String),
}

/// How a run went.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<(String, String, Verdict)>,
}

impl Report {
    /// Notes how a step went.
    pub(crate) fn note(&mut self, scenario: &str, step: &str, verdict: Verdict) {
        self.steps
            .push((scenario.to_owned(), step.to_owned(), verdict));
    }

    /// Whether every step that was run went as expected or as listed.
    pub(crate) fn is_good(&self) -> bool {
        let differs = |verdict: &Verdict| matches!(verdict, Verdict::Differs(_));
        !self.steps.iter().any(|(_, _, verdict)| differs(verdict))
    }

    /// The ids of listed differences that no step showed.
    pub(crate) fn unseen<'a>(&self, rules: &'a Rules) -> Vec<&'a str> {
        let seen: BTreeSet<usize> = self
            .steps
            .iter()
            .filter_map(|(_, _, verdict)| match verdict {
                Verdict::Listed(indices) => Some(indices),
                _ => None,
            })
            .flatten()
            .copied()
            .collect();
        let differences = rules.differences.iter().enumerate();
        differences
            .filter(|(index, _)| !seen.contains(index))
            .map(|(_, difference)| difference.id.as_str())
            .collect()
    }

    /// The report.
    pub(crate) fn text(&self, rules: &Rules) -> Result<String, fmt::Error> {
        let mut text = String::new();
        self.scenarios(rules, &mut text)?;
        self.left_out(&mut text)?;
        self.sums(&mut text)?;
        Ok(text)
    }

    fn scenarios(&self, rules: &Rules, text: &mut String) -> fmt::Result {
        let mut scenario = "";
        for (name, step, verdict) in &self.steps {
            if name != scenario && !matches!(verdict, Verdict::NotRun(_)) {
                scenario = name;
                writeln!(text, "{name}")?;
            }
            match verdict {
                Verdict::Same => writeln!(text, "  same      {step}")?,
                Verdict::Listed(indices) => {
                    let ids = indices
                        .iter()
                        .filter_map(|index| rules.differences.get(*index));
                    let ids: Vec<&str> = ids.map(|difference| difference.id.as_str()).collect();
                    writeln!(text, "  listed    {step} ({})", ids.join(", "))?;
                }
                Verdict::Differs(findings) => {
                    writeln!(text, "  DIFFERS   {step}")?;
                    for Finding {
                        at,
                        expected,
                        found,
                    } in findings
                    {
                        writeln!(
                            text,
                            "              {at}: {expected} expected, {found} found"
                        )?;
                    }
                }
                Verdict::NotRun(_) => {}
            }
        }
        Ok(())
    }

    fn left_out(&self, text: &mut String) -> fmt::Result {
        let mut reasons: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for (scenario, step, verdict) in &self.steps {
            if let Verdict::NotRun(reason) = verdict {
                let scenarios = reasons.entry(reason).or_default();
                scenarios.entry(scenario).or_default().push(step);
            }
        }
        for (reason, scenarios) in reasons {
            writeln!(text, "NOT RUN: {reason}")?;
            for (scenario, steps) in scenarios {
                writeln!(text, "  {scenario}: {}", steps.join("; "))?;
            }
        }
        Ok(())
    }

    fn sums(&self, text: &mut String) -> fmt::Result {
        let [mut same, mut listed, mut differ, mut not_run] = [0; 4];
        for (_, _, verdict) in &self.steps {
            match verdict {
                Verdict::Same => same += 1,
                Verdict::Listed(_) => listed += 1,
                Verdict::Differs(_) => differ += 1,
                Verdict::NotRun(_) => not_run += 1,
            }
        }
        let all = self.steps.len();
        writeln!(
            text,
            "{all} steps: {same} same, {listed} with listed differences, {differ} differ, {not_run} not run"
        )
    }
}
