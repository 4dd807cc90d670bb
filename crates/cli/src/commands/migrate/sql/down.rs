//! `migrate sql down`: there is no such way.

use crate::output::Failure;

/// What it says.
pub(super) fn refusal() -> Failure {
    Failure::new(
        "migrations only go forward; to go back, restore a backup from before the migration and \
         start the version that wrote it",
    )
}
