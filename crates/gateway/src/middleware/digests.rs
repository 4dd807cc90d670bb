//! Names of secrets that say nothing of them, under which what is known of the secrets is remembered.

use aws_lc_rs::hmac;
use carnet_oauth::Random;

/// An HMAC by a key that one middleware alone has.
pub(super) struct Digests(hmac::Key);

/// The name of a secret.
pub(super) type Digest = [u8; 32];

impl Digests {
    pub(super) fn new(random: &dyn Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    pub(super) fn of(&self, secret: &str) -> Digest {
        let mut digest = [0; 32];
        let tag = hmac::sign(&self.0, secret.as_bytes());
        digest.copy_from_slice(tag.as_ref());
        digest
    }
}
