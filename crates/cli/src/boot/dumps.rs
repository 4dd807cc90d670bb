//! A crash writes no memory to disk: it holds secrets and keys.

/// Forbids core dumps of this process, also those that a program of the machine collects, and lets
/// nobody but the administrator look into its memory. Programs that it starts may crash as they like.
pub(crate) fn forbid_dumps() {
    if let Err(error) = forbid() {
        tracing::warn!(%error, "core dumps could not be forbidden; a crash may write secrets to disk");
    }
}

#[cfg(target_os = "linux")]
fn forbid() -> std::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    // Holds for collectors too, which do not ask for the limit of a file's size.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    no_core_files()
}

#[cfg(not(target_os = "linux"))]
fn forbid() -> std::io::Result<()> {
    no_core_files()
}

fn no_core_files() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let maximum = getrlimit(Resource::Core).maximum;
    Ok(setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum,
        },
    )?)
}
