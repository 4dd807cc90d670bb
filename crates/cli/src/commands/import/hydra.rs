//! `import hydra`: a database of Ory Hydra into the one of our configuration.

use std::sync::Arc;

use carnet_authserver::import::{Count, HydraImport, ImportReport, Progress};
use carnet_authserver::store;

use crate::args::{ApiFlags, ImportHydra};
use crate::commands::serve::configuration;
use crate::output::{self, Failure};
use crate::process::Process;
use crate::report::Report;

const HEADER: &[&str] = &["WHAT", "ROWS", "OUTCOME"];

/// A database that nobody sees and that is gone afterwards.
const MEMORY: &str = "memory";

/// So many rows pass between two signs of life.
const STRIDE: u64 = 500;

/// Imports, and tells what was taken and what was not.
pub(super) async fn run(
    args: ImportHydra,
    api: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let config = configuration::read(&args.config, false, process)?;
    let dsn = match configuration::dsn(&config) {
        Ok(MEMORY) if !args.dry_run => return Err(lost()),
        // What would happen can be told before there is a database.
        Err(_) if args.dry_run => MEMORY,
        dsn => dsn?,
    };
    let secrets = &config.secrets.system;
    let hydra_secrets = match args.secrets_system.is_empty() {
        true => secrets.clone(),
        false => args.secrets_system,
    };
    let import = HydraImport {
        from: args.from,
        secrets: match secrets.is_empty() && args.dry_run {
            true => hydra_secrets.clone(),
            false => secrets.clone(),
        },
        hydra_secrets,
        dry_run: args.dry_run,
        clock: Arc::clone(&process.clock),
        random: Arc::clone(&process.random),
    };
    let store = store::open(dsn).await.map_err(failed)?;
    let watch = |progress| show(progress, process);
    let report = import.run(&*store, &watch).await.map_err(failed)?;
    shown(&report, args.dry_run)?.print(api, process)?;
    match report.different.len() {
        0 => Ok(()),
        _ => Err(kept(&report.different)),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

fn lost() -> Failure {
    Failure::new(
        "dsn is memory, so the import would be gone at once: set the variable DSN to the database \
         that serve shall use, or add --dry-run",
    )
}

fn kept(different: &[String]) -> Failure {
    Failure::new(format!(
        "{} is here already and differs: it stays as it is here, everything else is as told above; \
         to take Hydra's, delete it here and import again",
        different.join(", ")
    ))
}

/// How far it is, on one line that is written over.
fn show(progress: Progress, process: &Process) {
    let Progress { what, done, total } = progress;
    if process.is_watched && (done.is_multiple_of(STRIDE) || done == total) {
        let end = if done == total { "\n" } else { "" };
        output::show(process, &format!("\r{what}: {done} of {total}{end}"));
    }
}

fn shown(report: &ImportReport, dry_run: bool) -> Result<Report, Failure> {
    let taken = if dry_run { "would be taken" } else { "taken" };
    let row = |what: &str, rows: u64, outcome: &str| {
        vec![what.to_owned(), rows.to_string(), outcome.to_owned()]
    };
    let mut rows = Vec::new();
    for (what, Count { new, same }) in [
        ("clients", report.clients),
        ("keys", report.keys),
        ("trusted issuers", report.trusted_issuers),
        ("access tokens", report.tokens),
    ] {
        rows.push(row(what, new, taken));
        if same > 0 {
            rows.push(row(what, same, "here already"));
        }
    }
    for what in &report.different {
        rows.push(row(
            what,
            1,
            "here already, and differs: kept as it is here",
        ));
    }
    for left in &report.left_behind {
        let outcome = format!("stays behind: {}", left.why);
        rows.push(row(&left.table, left.rows, &outcome));
    }
    let json = serde_json::to_value(report).map_err(failed)?;
    Ok(Report::list(HEADER, rows, json))
}
