//! `completion`: the script that makes a shell complete our words.

use crate::args::{self, Called, Completion};
use crate::output;
use crate::process::Process;

/// Writes the script to standard output.
pub(super) fn run(args: &Completion, called: Called, process: &Process) -> u8 {
    let mut tree = args::tree(called);
    let name = tree.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, name, &mut script);
    output::print(process, &String::from_utf8_lossy(&script));
    output::DONE
}
