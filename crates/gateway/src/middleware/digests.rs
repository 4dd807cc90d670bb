//! Names of secrets that say nothing of them, under which what is known of the secrets is remembered.

use aws_lc_rs::cmac;
use carnet_oauth::Random;

use crate::error::{Fault, Reason};

/// An AES-CMAC (RFC 4493) by a key that one middleware of one process alone has. Every request of a
/// caller who is remembered costs one, and AES is quick everywhere, which SHA-256 is not
/// (`docs/adr/0049-names-of-secrets-are-aes-cmac.md`).
pub(super) struct Digests(cmac::Key);

/// The name of a secret.
pub(super) type Digest = [u8; 16];

impl Digests {
    /// The error is one sentence.
    pub(super) fn new(random: &dyn Random) -> Result<Self, String> {
        let mut key = Digest::default();
        random.fill(&mut key);
        let key = cmac::Key::new(cmac::AES_128, &key);
        key.map(Self)
            .map_err(|_| "there is no key for what is remembered".to_owned())
    }

    /// The name of one secret.
    pub(super) fn of(&self, secret: &str) -> Result<Digest, Fault> {
        self.signed(&[secret.as_bytes()])
    }

    /// The name of a secret and of whose it is: that of no other pair, wherever its border is.
    pub(super) fn of_pair(&self, id: &str, secret: &str) -> Result<Digest, Fault> {
        let length = u64::try_from(id.len()).unwrap_or(u64::MAX).to_be_bytes();
        self.signed(&[&length, id.as_bytes(), secret.as_bytes()])
    }

    fn signed(&self, parts: &[&[u8]]) -> Result<Digest, Fault> {
        let mut context = cmac::Context::with_key(&self.0);
        let tag = parts
            .iter()
            .try_for_each(|part| context.update(part))
            .and_then(|()| context.sign());
        tag.ok()
            .and_then(|tag| tag.as_ref().try_into().ok())
            .ok_or_else(|| Fault::new(Reason::Internal).because("a secret could not be named"))
    }
}
