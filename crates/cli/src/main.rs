//! The one binary. `boot` takes the surroundings of the process, `args` reads what was typed,
//! `commands` has a file for each command, named as the user types it.

use std::process::ExitCode;
use std::time::Instant;

mod api;
mod args;
mod boot;
mod commands;
mod output;
mod process;
mod report;

#[expect(clippy::disallowed_methods, reason = "no runtime has started")]
fn main() -> ExitCode {
    let started = Instant::now();
    boot::install_crypto();
    let process = boot::process(started);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            output::say(&process, &format!("Error: cannot start: {error}"));
            return ExitCode::from(output::FAILED);
        }
    };
    let code = runtime.block_on(async {
        boot::cancel_on_signals(process.shutdown.clone());
        boot::reopen_on_usr1(process.logs.clone());
        commands::run(boot::arguments(), &process).await
    });
    // A thread that still waits for standard input shall not keep the process.
    runtime.shutdown_background();
    ExitCode::from(code)
}
