//! `migrate sql`: a file for each direction.

use carnet_authserver::store::StoreError;

use crate::args::{MigrateSql, MigrateStatus, MigrateStep, MigratedDatabase};
use crate::commands::serve::configuration;
use crate::output::Failure;
use crate::process::Process;

mod down;
mod status;
mod up;

/// Goes where it is told to, or up.
pub(super) async fn run(args: MigrateSql, process: &Process) -> Result<(), Failure> {
    match args.step {
        None => up::run(args.up, process).await,
        Some(MigrateStep::Up(args)) => up::run(args, process).await,
        Some(MigrateStep::Down(_)) => Err(down::refusal()),
        Some(MigrateStep::Status(args)) => status::run(args, process).await,
    }
}

/// `migrate status`, the other spelling.
pub(super) async fn status(args: MigrateStatus, process: &Process) -> Result<(), Failure> {
    status::run(args, process).await
}

/// The database that a line names, or that the configuration does.
pub(in crate::commands) fn dsn(
    database: &MigratedDatabase,
    process: &Process,
) -> Result<String, Failure> {
    match (database.read_from_env, &database.dsn) {
        (false, Some(dsn)) => Ok(dsn.clone()),
        (false, None) if database.config.is_empty() => Err(Failure::new(
            "this command needs a database: name it, such as sqlite:///path/to/file, or add -e to \
             take it from the variable DSN",
        )),
        _ => {
            let config = configuration::read(&database.config, false, process)?;
            configuration::dsn(&config).map(str::to_owned)
        }
    }
}

fn failed(error: StoreError) -> Failure {
    Failure::new(error.to_string())
}

fn word(applied: bool) -> &'static str {
    if applied { "Applied" } else { "Pending" }
}
