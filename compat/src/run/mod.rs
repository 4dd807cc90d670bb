//! Plays scenarios against a server: one that runs already, or a fresh one for each scenario.

mod assertion;
mod call;
mod hook;
mod jar;
mod request;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};

use crate::compare::{Finding, Values, answers, fill, outcomes, questions};
use crate::report::{Report, Verdict};
use crate::rules::Rules;
use crate::scenario::{CallStep, RequestStep, Scenario};
use hook::Hook;
use jar::Jar;
use server::Server;

/// What is played against.
#[derive(Debug)]
pub(crate) enum Target {
    /// A server that runs.
    Running {
        /// Its public port.
        public: String,
        /// Its admin port.
        admin: String,
    },
    /// A command that starts one; each scenario gets a server of its own.
    Started(String),
}

/// How to play.
#[derive(Debug)]
pub(crate) struct Player {
    /// What is played against.
    pub target: Target,
    /// The program that is called for the command line's scenarios.
    pub hydra: Option<PathBuf>,
    /// What is not compared.
    pub rules: Rules,
}

/// A server and what its steps kept.
struct Stage {
    scenario: String,
    server: Server,
    hook: Hook,
    jar: Jar,
    values: Values,
    folder: tempfile::TempDir,
}

impl Player {
    /// Plays all scenarios in their order.
    pub(crate) async fn play(&self, scenarios: &[Scenario]) -> Result<Report> {
        let mut report = Report::default();
        let mut stage: Option<Stage> = None;
        for scenario in scenarios {
            if let Some(reason) = self.impossible(scenario) {
                for step in names(scenario) {
                    report.note(&scenario.name, step, Verdict::NotRun(reason.clone()));
                }
                continue;
            }
            let goes_on = stage
                .as_ref()
                .is_some_and(|stage| scenario.after.as_ref() == Some(&stage.scenario));
            if !goes_on {
                stage = None;
            }
            let mut current = match stage.take() {
                Some(stage) => stage,
                None => self.set(scenario).await?,
            };
            current.scenario.clone_from(&scenario.name);
            self.perform(scenario, &mut current, &mut report).await?;
            stage = Some(current);
        }
        Ok(report)
    }

    /// Why a scenario cannot be played at all.
    fn impossible(&self, scenario: &Scenario) -> Option<String> {
        if let Some(reason) = self.rules.scenario_left_out(&scenario.name) {
            return Some(reason.to_owned());
        }
        if !scenario.calls.is_empty() && self.hydra.is_none() {
            return Some("needs the command line: give --hydra PROGRAM".to_owned());
        }
        match &self.target {
            Target::Running { .. } if !scenario.env.is_empty() => {
                Some("needs a server with other settings: give --serve COMMAND".to_owned())
            }
            _ => None,
        }
    }

    async fn set(&self, scenario: &Scenario) -> Result<Stage> {
        let folder = tempfile::tempdir()?;
        for (name, text) in &scenario.files {
            std::fs::write(folder.path().join(name), text)?;
        }
        let hook = Hook::start().await?;
        let server =
            match &self.target {
                Target::Running { public, admin } => Server::running(public, admin)?,
                Target::Started(command) => Server::start(command, &settings(scenario, &hook)?)
                    .await
                    .with_context(|| format!("no server for {}", scenario.name))?,
            };
        let values = Values::from([
            ("public".to_owned(), server.public.clone()),
            ("admin".to_owned(), server.admin.clone()),
            ("folder".to_owned(), folder.path().display().to_string()),
        ]);
        Ok(Stage {
            scenario: scenario.name.clone(),
            server,
            hook,
            jar: Jar::default(),
            values,
            folder,
        })
    }

    async fn perform(
        &self,
        scenario: &Scenario,
        stage: &mut Stage,
        report: &mut Report,
    ) -> Result<()> {
        for step in &scenario.requests {
            let verdict = match self.rules.left_out(&scenario.name, &step.name) {
                Some(reason) => Verdict::NotRun(reason.to_owned()),
                None => self.request(&scenario.name, step, stage).await?,
            };
            report.note(&scenario.name, &step.name, verdict);
        }
        for step in &scenario.calls {
            let verdict = match self.rules.left_out(&scenario.name, &step.name) {
                Some(reason) => Verdict::NotRun(reason.to_owned()),
                None => self.call(&scenario.name, step, stage).await?,
            };
            report.note(&scenario.name, &step.name, verdict);
        }
        Ok(())
    }

    async fn request(
        &self,
        scenario: &str,
        step: &RequestStep,
        stage: &mut Stage,
    ) -> Result<Verdict> {
        if let Some(hook) = &step.hook {
            stage.hook.set(hook).await?;
        }
        let jar = step.send.cookies.then(|| stage.jar.field());
        let performed = request::perform(step, &stage.server, &stage.values, jar);
        let received = match performed.await? {
            Ok(received) => received,
            Err(reason) => return Ok(Verdict::NotRun(reason)),
        };
        stage.jar.keep(&received);
        stage.values.retain(|name, _| !step.keep.contains_key(name));
        let instead = self.rules.instead(scenario, &step.name);
        let expected = instead.map_or(&step.expect, |(_, answer)| answer);
        let mut findings = answers(expected, &received, &stage.values);
        if let Some(hook) = &step.hook {
            findings.extend(questions(hook, &stage.hook.asked(), &stage.values));
        }
        stage.values.extend(request::kept(&step.keep, &received));
        Ok(self.verdict(
            scenario,
            &step.name,
            findings,
            instead.map(|(index, _)| index),
        ))
    }

    async fn call(&self, scenario: &str, step: &CallStep, stage: &mut Stage) -> Result<Verdict> {
        let program = self.hydra.as_ref().context("--hydra is not given")?;
        let folder = stage.folder.path();
        let printed = match call::perform(program, step, &stage.values, folder).await? {
            Ok(printed) => printed,
            Err(reason) => return Ok(Verdict::NotRun(reason)),
        };
        stage.values.retain(|name, _| !step.keep.contains_key(name));
        let instead = self.rules.instead_outcome(scenario, &step.name);
        let expected = instead.map_or(&step.expect, |(_, outcome)| outcome);
        let findings = outcomes(expected, &printed, &stage.values);
        stage.values.extend(call::kept(&step.keep, &printed));
        Ok(self.verdict(
            scenario,
            &step.name,
            findings,
            instead.map(|(index, _)| index),
        ))
    }

    fn verdict(
        &self,
        scenario: &str,
        step: &str,
        findings: Vec<Finding>,
        instead: Option<usize>,
    ) -> Verdict {
        let mut listed: BTreeSet<usize> = instead.into_iter().collect();
        let mut left = Vec::new();
        for finding in findings {
            match self.rules.explains(scenario, step, &finding) {
                Some(index) => {
                    listed.insert(index);
                }
                None => left.push(finding),
            }
        }
        if !left.is_empty() {
            Verdict::Differs(left)
        } else if listed.is_empty() {
            Verdict::Same
        } else {
            Verdict::Listed(listed)
        }
    }
}

/// The settings of a scenario's server, `{{hook}}` being the address of the hook.
fn settings(scenario: &Scenario, hook: &Hook) -> Result<BTreeMap<String, String>> {
    let values = Values::from([("hook".to_owned(), hook.authority())]);
    let filled = scenario.env.iter().map(|(name, text)| {
        let text = fill(text, &values);
        let text = text.map_err(|value| anyhow!("{name} needs `{value}`, which nothing makes"))?;
        Ok((name.clone(), text))
    });
    filled.collect()
}

fn names(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let requests = scenario.requests.iter().map(|step| step.name.as_str());
    requests.chain(scenario.calls.iter().map(|step| step.name.as_str()))
}
