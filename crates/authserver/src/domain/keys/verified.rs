//! Tokens that were verified lately, with the keys of one snapshot: when a key goes, they go with it.
//! Only what never changes is remembered, which is what the signature is over. Times, clients and
//! revocations are looked at each time.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::jwt::Claims;
use quick_cache::sync::Cache;

/// So many tokens are remembered.
const TOKENS: usize = 4096;

/// The memory.
#[derive(Debug)]
pub(super) struct Verified {
    /// By the SHA-256 of the token: of the token itself nothing is kept.
    claims: Cache<[u8; 32], Arc<Claims>>,
}

impl Default for Verified {
    fn default() -> Self {
        Self {
            claims: Cache::new(TOKENS),
        }
    }
}

impl Verified {
    /// The claims of a token, remembered or verified now. One that is not right is not remembered.
    pub(super) fn claims(
        &self,
        token: &str,
        verify: impl FnOnce() -> Option<Claims>,
    ) -> Option<Arc<Claims>> {
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        if let Some(claims) = self.claims.get(&name) {
            return Some(claims);
        }
        let claims = Arc::new(verify()?);
        self.claims.insert(name, Arc::clone(&claims));
        Some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_token_is_verified_once_and_a_wrong_one_each_time() {
        let verified = Verified::default();
        let right = || Some(Claims::new());
        assert!(verified.claims("a", || None).is_none());
        assert!(verified.claims("a", right).is_some());
        assert!(verified.claims("a", || None).is_some());
        assert!(verified.claims("b", || None).is_none());
    }
}
