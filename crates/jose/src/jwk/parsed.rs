//! A key as the library reads it, kept by the key for the algorithm that it was first used with:
//! reading costs as much as a third of verifying.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::signature::ParsedPublicKey;

use crate::Algorithm;

/// What was read of a key. Says nothing that the key does not say.
#[derive(Clone, Default)]
pub(super) struct Parsed(OnceLock<Option<(Algorithm, ParsedPublicKey)>>);

impl Parsed {
    /// Whether the signature is the key's; `read` reads it.
    pub(super) fn verifies(
        &self,
        algorithm: Algorithm,
        read: impl Fn() -> Option<ParsedPublicKey>,
        (message, signature): (&[u8], &[u8]),
    ) -> bool {
        let first = self.0.get_or_init(|| Some((algorithm, read()?)));
        let is_right = |key: &ParsedPublicKey| key.verify_sig(message, signature).is_ok();
        match first {
            Some((kept, key)) if *kept == algorithm => is_right(key),
            _ => read().is_some_and(|key| is_right(&key)),
        }
    }
}

/// Keys are equal by what they say.
impl PartialEq for Parsed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Parsed {}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parsed")
    }
}
