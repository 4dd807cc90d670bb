//! `addPrefix`: puts something in front of the path.

use carnet_config::routing::middleware::AddPrefix as Options;

use super::path::{self, Changed, Rewrite};
use crate::body::Request;
use crate::error::Fault;

/// What it puts there, as it may stand in a path.
#[derive(Debug)]
pub(super) struct AddPrefix(String);

impl AddPrefix {
    pub(super) fn new(options: &Options) -> Self {
        Self(path::encoded(&options.prefix).into_owned())
    }
}

impl Rewrite for AddPrefix {
    const KIND: &'static str = "addPrefix";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        let changed = Changed::to(request, [&self.0, path::of(request)])?;
        changed.put(request);
        Ok(())
    }
}
