//! `migrate sql status`: shows which migrations a database has taken.

use std::time::Duration;

use carnet_authserver::store::{self, Migration};
use serde_json::json;

use super::{dsn, failed, word};
use crate::args::{ApiFlags, MigrateStatus};
use crate::output::{self, Failure};
use crate::process::Process;
use crate::report::Report;

const COLUMNS: &[&str] = &["Version", "Name", "Status"];
/// How often a database is looked at by who waits for it.
const PERIOD: Duration = Duration::from_secs(1);

/// Shows the plan, with `--block` once nothing of it is pending.
pub(super) async fn run(args: MigrateStatus, process: &Process) -> Result<(), Failure> {
    let dsn = dsn(&args.database, process)?;
    let mut plan = store::plan(&dsn).await.map_err(failed)?;
    while args.block && plan.iter().any(|migration| !migration.applied) {
        output::say(process, &waiting(&plan));
        tokio::time::sleep(PERIOD).await;
        plan = store::plan(&dsn).await.map_err(failed)?;
    }
    let looks = ApiFlags {
        format: args.format,
        quiet: args.quiet,
        ..ApiFlags::default()
    };
    report(&plan).print(&looks, process)
}

fn report(plan: &[Migration]) -> Report {
    let rows = plan.iter().map(|migration| {
        let version = migration.version.to_string();
        vec![
            version,
            migration.name.clone(),
            word(migration.applied).to_owned(),
        ]
    });
    let json = plan.iter().map(|migration| {
        json!({
            "name": migration.name,
            "state": word(migration.applied),
            "version": migration.version.to_string(),
        })
    });
    Report::list(COLUMNS, rows.collect(), json.collect())
}

fn waiting(plan: &[Migration]) -> String {
    let pending = plan.iter().filter(|migration| !migration.applied);
    let names: String = pending
        .map(|migration| format!("\n - {}", migration.name))
        .collect();
    format!("Waiting for migrations to finish...{names}")
}
