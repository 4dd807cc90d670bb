//! `reference`: pages of `docs/reference` that are made from the code. Hidden, for whoever changes a
//! flag or an option.

use crate::args::Generated;
use crate::output;
use crate::process::Process;

mod command_line;
mod middlewares;

/// Prints a page.
pub(super) fn run(page: Generated, process: &Process) -> u8 {
    let page = match page {
        Generated::Cli => command_line::page(),
        Generated::Middlewares => middlewares::page(),
        Generated::Schema => format!("{:#}\n", carnet_config::routing::middleware::of_files()),
    };
    output::print(process, &page);
    output::DONE
}

/// A text that may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
