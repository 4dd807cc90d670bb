//! The walls between the rooms, and the shape of what stands in them.
//!
//! Each file here is one kind of wall: a function from what was read to sentences about what is
//! broken. To allow a new edge, write the ADR first, then the line in `edges.rs`.

mod edges;
mod files;
mod supply;

use anyhow::Result;

use crate::project::Project;

/// What is wrong.
pub(crate) fn faults(project: &Project) -> Result<Vec<String>> {
    let edges = edges::of(&project.metadata);
    let mut faults = edges::faults(&edges);
    faults.extend(edges::unplanned(&project.metadata));
    faults.extend(files::faults(&project.files));
    faults.extend(supply::faults(project)?);
    Ok(faults)
}
