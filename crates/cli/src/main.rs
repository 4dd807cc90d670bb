//! The one binary. `boot` takes the surroundings of the process, `args` reads what was typed,
//! `commands` has a file for each command, named as the user types it.

use std::process::ExitCode;
use std::time::Instant;

mod boot;
mod process;

fn main() -> ExitCode {
    let started = Instant::now();
    boot::install_crypto();
    let process = boot::process(started);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let _ = (process, runtime);
    ExitCode::SUCCESS
}
