//! `migrate sql`: shows what the database has not taken yet, asks, and brings it up to date.

use std::sync::{Arc, PoisonError};

use carnet_authserver::store::{self, Migration};

use crate::args::MigrateSql;
use crate::commands::serve::configuration;
use crate::output::{self, Failure};
use crate::process::Process;

/// The newer spelling: `migrate sql up`.
const UP: &str = "up";

/// Migrates.
pub(super) async fn run(args: MigrateSql, process: &Process) -> Result<(), Failure> {
    let dsn = dsn(&args, process)?;
    let failed = |error: store::StoreError| Failure::new(error.to_string());
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

fn dsn(args: &MigrateSql, process: &Process) -> Result<String, Failure> {
    let mut words = args.words.iter().filter(|word| *word != UP);
    match (args.read_from_env, words.next()) {
        (false, Some(dsn)) => Ok(dsn.clone()),
        (false, None) if args.config.is_empty() => Err(Failure::new(
            "migrate sql needs a database: name it, such as sqlite:///path/to/file, or add -e to \
             take it from the variable DSN",
        )),
        _ => {
            let config = configuration::read(&args.config, false, process)?;
            configuration::dsn(&config).map(str::to_owned)
        }
    }
}

fn table(plan: &[Migration]) -> String {
    let rows = plan.iter().map(|migration| {
        let status = if migration.applied {
            "Applied"
        } else {
            "Pending"
        };
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
