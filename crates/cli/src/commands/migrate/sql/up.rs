//! `migrate sql`, `migrate sql up`: shows what the database has not taken yet, asks, and brings it up to date.

use std::sync::{Arc, PoisonError};

use carnet_authserver::store::{self, Migration};

use super::{dsn, failed, word};
use crate::args::MigrateUp;
use crate::output::{self, Failure};
use crate::process::Process;

/// Migrates.
pub(super) async fn run(args: MigrateUp, process: &Process) -> Result<(), Failure> {
    let dsn = dsn(&args.database, process)?;
    let plan = store::plan(&dsn).await.map_err(failed)?;
    output::print(process, &table(&plan));
    let pending = plan.iter().any(|migration| !migration.applied);
    if pending && !args.yes && !is_confirmed(process).await {
        return Err(Failure::new(
            "nothing was changed, since nobody said yes; add --yes to not be asked",
        ));
    }
    store::migrate(&dsn).await.map_err(failed)?;
    output::print(process, "Successfully applied migrations!\n");
    Ok(())
}

fn table(plan: &[Migration]) -> String {
    let rows = plan.iter().map(|migration| {
        let status = word(migration.applied);
        format!("{}\t{}\t{status}\n", migration.version, migration.name)
    });
    let rows: String = rows.collect();
    format!("The migration plan is as follows:\nVersion\tName\tStatus\n{rows}")
}

async fn is_confirmed(process: &Process) -> bool {
    output::say(
        process,
        "To apply the pending migrations, type yes and press Enter.",
    );
    let input = Arc::clone(&process.input);
    let answer = tokio::task::spawn_blocking(move || {
        let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = Vec::new();
        let mut byte = [0];
        while input.read(&mut byte).is_ok_and(|read| read == 1) && byte != *b"\n" {
            line.push(byte[0]);
        }
        line
    });
    let answer = answer.await.unwrap_or_default();
    matches!(
        String::from_utf8_lossy(&answer).trim(),
        "y" | "yes" | "Y" | "Yes"
    )
}
