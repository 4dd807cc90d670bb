//! `link`: links named after the programs the binary stands in for.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::args::Link;
use crate::output::{self, Failure};
use crate::process::Process;

/// The names the binary answers to.
const NAMES: [&str; 3] = ["hydra", "whoami", "traefik"];

/// Makes the links. A link is replaced, anything else that has the name is left alone.
pub(super) fn run(args: &Link, process: &Process) -> Result<(), Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(format!("cannot tell where this program is: {error}")))?;
    for name in NAMES {
        let link = args.directory.join(name);
        make(&program, &link).map_err(|error| {
            Failure::new(format!(
                "cannot make the link {}: {error}; choose a directory that exists and that this \
                 user may write to",
                link.display()
            ))
        })?;
        output::print(
            process,
            &format!("{} -> {}\n", link.display(), program.display()),
        );
    }
    Ok(())
}

fn make(program: &Path, link: &Path) -> io::Result<()> {
    match fs::symlink_metadata(link) {
        Ok(there) if there.is_symlink() => fs::remove_file(link)?,
        Ok(_) => return Err(io::Error::other("a file that is no link has this name")),
        Err(_) => {}
    }
    symlink(program, link)
}
