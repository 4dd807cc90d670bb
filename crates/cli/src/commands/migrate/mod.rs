//! `migrate`: a file for each noun.

use crate::args::{Called, Migrate, Migrated};
use crate::process::Process;

pub(super) mod sql;

/// Runs the command of the noun.
pub(super) async fn run(args: Migrate, called: Called, process: &Process) -> u8 {
    match args.what {
        None => super::help(Some("migrate"), called, process),
        Some(Migrated::Sql(args)) => super::brief(sql::run(args, process), process).await,
        Some(Migrated::Status(args)) => super::brief(sql::status(args, process), process).await,
    }
}
