//! `version`: Hydra's three lines under its name, one line under ours.

use crate::args::Called;
use crate::output;
use crate::process::Process;

/// Prints the version.
pub(super) fn run(called: Called, process: &Process) -> u8 {
    let version = env!("CARGO_PKG_VERSION");
    let text = match called {
        Called::Carnet => format!("carnet {version}\n"),
        // Scripts cut the first line at its column; there is no build stamp in reproducible builds.
        Called::Hydra => {
            format!("Version:    carnet {version}\nGit Hash:   undefined\nBuild Time: undefined\n")
        }
    };
    output::print(process, &text);
    output::DONE
}
