//! `replacePathRegex`: another path, made of the one before.

use std::borrow::Cow;

use carnet_config::routing::middleware::ReplacePathRegex as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "replacePathRegex";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        let Options { regex, replacement } = self;
        // Without a match nothing is said of the path before, either.
        let replaced = match regex.is_match(request.uri().path()) {
            true => regex.replace_all(request.uri().path(), replacement),
            false => Cow::Borrowed(""),
        };
        match replaced {
            Cow::Owned(replaced) => {
                let before = request.uri().path().to_owned();
                path::tell(request, path::X_REPLACED_PATH, &before)?;
                path::set_left(request, &path::encoded(&replaced))
            }
            Cow::Borrowed(_) => Ok(()),
        }
    }
}
