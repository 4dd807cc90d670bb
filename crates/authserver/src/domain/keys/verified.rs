//! Tokens that were verified lately, with the keys of one snapshot: when a key goes, they go with it.
//! Only what never changes is remembered, which is what the signature is over. Times, clients and
//! revocations are looked at each time.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;

/// So many tokens are remembered.
const TOKENS: usize = 4096;

/// The memory.
#[derive(Debug)]
pub(super) struct Verified<T> {
    /// By the SHA-256 of the token: of the token itself nothing is kept.
    tokens: Cache<[u8; 32], Arc<T>>,
}

impl<T> Default for Verified<T> {
    fn default() -> Self {
        Self {
            tokens: Cache::new(TOKENS),
        }
    }
}

impl<T> Verified<T> {
    /// What a token says, remembered or verified now. One that is not right is not remembered.
    pub(super) fn find(&self, token: &str, verify: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some(said) = self.tokens.get(&name) {
            return Some(said);
        }
        let said = Arc::new(verify()?);
        self.tokens.insert(name, Arc::clone(&said));
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_token_is_verified_once_and_a_wrong_one_each_time() {
        let verified = Verified::default();
        let right = || Some("claims");
        assert!(verified.find("a", || None).is_none());
        assert!(verified.find("a", right).is_some());
        assert!(verified.find("a", || None).is_some());
        assert!(verified.find("b", || None).is_none());
    }
}
