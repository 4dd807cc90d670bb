//! Commands of the house, which check what the compiler cannot: `cargo xtask --help`.

mod paths;
mod project;
mod security;
mod walls;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::project::Project;

/// Checks of the house. Each prints what is wrong, a line each, and fails when there is any.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The checks.
#[derive(Subcommand)]
enum Command {
    /// Who may use whom, how large a file may be, and what each must begin with.
    Walls,
    /// Every id of docs/security.md has a test that names it, or a part that will hold it.
    Security {
        /// Prints each id with its tests.
        #[arg(long)]
        list: bool,
    },
    /// Every path that the documents name exists.
    Paths,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let project = Project::here()?;
    let mut out = io::stdout().lock();
    let faults = match arguments.command {
        Command::Walls => walls::faults(&project)?,
        Command::Security { list } => {
            let report = security::report(&project)?;
            if list {
                write!(out, "{}", report.list)?;
            }
            writeln!(out, "{}", report.summary)?;
            report.faults
        }
        Command::Paths => paths::faults(&project)?,
    };
    for fault in &faults {
        writeln!(out, "error: {fault}")?;
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
