//! Plays scenarios against any server that speaks Hydra's API and tells what differs.
//!
//! To add a product: a folder below `scenarios`. To add a scenario: a file in it. To add a
//! deliberate difference: an entry in `differences.yaml`, which the documentation repeats.

mod compare;
mod convert;
mod report;
mod rules;
mod run;
mod scenario;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand};

use rules::Rules;
use run::{Player, Target};
use scenario::Scenario;

#[derive(Debug, Parser)]
#[command(
    name = "compat",
    about = "Plays scenarios against a server and tells what differs."
)]
struct Arguments {
    /// The folder with scenarios, differences.yaml and not_run.yaml.
    #[arg(long, global = true, default_value = env!("CARGO_MANIFEST_DIR"))]
    folder: PathBuf,
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Plays scenarios. Exit code 1: something differs that is not listed.
    Run(RunArguments),
    /// Converts recordings into scenario files.
    Convert {
        /// The folder with `http` and `cli`.
        recordings: PathBuf,
    },
    /// Prints the deliberate differences as Markdown.
    Differences,
}

#[derive(Debug, Args)]
struct RunArguments {
    /// Starts a server for each scenario, e.g. "carnet serve all --dev".
    #[arg(long, conflicts_with_all = ["public", "admin"])]
    serve: Option<String>,
    /// The public port of a running server, e.g. http://127.0.0.1:4444.
    #[arg(long, requires = "admin")]
    public: Option<String>,
    /// The admin port of a running server.
    #[arg(long, requires = "public")]
    admin: Option<String>,
    /// The program to call for the scenarios of the command line.
    #[arg(long)]
    hydra: Option<PathBuf>,
    /// Lists no difference and leaves nothing out: for the product itself.
    #[arg(long)]
    strict: bool,
    /// Only scenarios whose names contain one of these.
    names: Vec<String>,
}

fn main() -> ExitCode {
    match answer(Arguments::parse()) {
        Ok((text, is_good)) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            if is_good {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn answer(arguments: Arguments) -> Result<(String, bool)> {
    match arguments.command {
        Subcommands::Convert { recordings } => {
            let count = convert::convert(&recordings, &arguments.folder.join("scenarios"))?;
            Ok((format!("{count} scenarios written\n"), true))
        }
        Subcommands::Differences => {
            let rules = Rules::read(&arguments.folder)?;
            Ok((rules.markdown()?, true))
        }
        Subcommands::Run(run) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(play(run, &arguments.folder))
        }
    }
}

async fn play(arguments: RunArguments, folder: &Path) -> Result<(String, bool)> {
    let target = match (arguments.serve, arguments.public, arguments.admin) {
        (Some(command), ..) => Target::Started(command),
        (None, Some(public), Some(admin)) => Target::Running { public, admin },
        _ => bail!("give --serve COMMAND, or --public URL and --admin URL"),
    };
    let is_whole = arguments.names.is_empty()
        && arguments.hydra.is_some()
        && matches!(target, Target::Started(_));
    let hydra = arguments.hydra.map(std::path::absolute).transpose()?;
    let rules = if arguments.strict {
        Rules::default()
    } else {
        Rules::read(folder)?
    };
    let mut scenarios = read(&folder.join("scenarios"))?;
    if !arguments.names.is_empty() {
        scenarios.retain(|scenario| {
            let names = &arguments.names;
            names
                .iter()
                .any(|name| scenario.name.contains(name.as_str()))
        });
    }
    let player = Player {
        target,
        hydra,
        rules,
    };
    let report = player.play(&scenarios).await?;
    let mut text = report.text(&player.rules)?;
    let mut is_good = report.is_good();
    if is_whole {
        for id in report.unseen(&player.rules) {
            text.push_str(&format!(
                "the listed difference `{id}` shows nowhere: remove it\n"
            ));
            is_good = false;
        }
    }
    Ok((text, is_good))
}

/// All scenario files, folder by folder, in the order of their names.
fn read(folder: &Path) -> Result<Vec<Scenario>> {
    let mut files = Vec::new();
    for product in sorted(folder)? {
        files.extend(sorted(&product)?);
    }
    files
        .iter()
        .map(|file| {
            let shown = file.display();
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
            serde_json::from_str(&text).with_context(|| format!("{shown} is no scenario"))
        })
        .collect()
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn folder() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn every_rule_names_a_scenario_and_steps_that_exist() {
        let scenarios = read(&folder().join("scenarios")).unwrap();
        let rules = Rules::read(folder()).unwrap();
        let shown = rules
            .differences
            .iter()
            .flat_map(|difference| &difference.shows);
        let places = shown.map(|place| (&place.scenario, &place.steps));
        let left_out = rules
            .not_run
            .iter()
            .map(|rule| (&rule.scenario, &rule.steps));
        for (name, steps) in places.chain(left_out) {
            let named: Vec<&Scenario> = scenarios
                .iter()
                .filter(|scenario| name == "*" || scenario.name == *name)
                .collect();
            assert!(!named.is_empty(), "there is no scenario {name}");
            for step in steps {
                let has = named.iter().any(|scenario| {
                    let requests = scenario.requests.iter().map(|known| &known.name);
                    let calls = scenario.calls.iter().map(|known| &known.name);
                    requests.chain(calls).any(|known| known == step)
                });
                assert!(has, "scenario {name} has no step {step:?}");
            }
        }
    }

    #[test]
    fn steps_of_a_scenario_have_names_of_their_own() {
        for scenario in read(&folder().join("scenarios")).unwrap() {
            let mut names: Vec<&String> = scenario.requests.iter().map(|step| &step.name).collect();
            names.extend(scenario.calls.iter().map(|step| &step.name));
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{}", scenario.name);
        }
    }

    #[test]
    fn the_reference_tells_every_deliberate_difference() {
        let table = Rules::read(folder()).unwrap().markdown().unwrap();
        let page = folder().join("../docs/reference/differences.md");
        let page = std::fs::read_to_string(page).unwrap_or_default();
        for row in table.lines().skip(2) {
            assert!(
                page.contains(row),
                "docs/reference/differences.md lacks: {row}"
            );
        }
    }
}
