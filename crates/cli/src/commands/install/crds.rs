//! `install crds`: the definitions of Traefik's kinds that carnet serves.

use std::fmt::Write as _;

use carnet_providers::kubernetes::crd;

use crate::output::{self, Failure};
use crate::process::Process;
use crate::report;

/// Prints them as YAML documents.
pub(super) fn run(process: &Process) -> Result<(), Failure> {
    let mut text = String::new();
    for definition in crd::definitions() {
        // Writing to a String cannot fail.
        let _ = write!(text, "---\n{}", report::yaml(&definition));
    }
    output::print(process, &text);
    Ok(())
}
