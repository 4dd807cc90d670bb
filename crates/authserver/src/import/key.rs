//! `hydra_jwk`, and how Hydra seals: AES-256-GCM under the SHA-256 of a system secret, the nonce in
//! front, in base64url.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest;
use carnet_jose::base64url;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::source::Table;
use crate::domain::keys::ACCESS_TOKENS;
use crate::store::{ImportedKey, KeyRow};

/// Keys, the newest last: our store makes the last one of a set its newest, and that one signs.
pub(super) static TABLE: Table = Table {
    name: "hydra_jwk",
    name_columns: &["sid", "kid"],
    columns: &["sid", "kid", "keydata"],
    order: "created_at, pk",
};

/// Opens what Hydra sealed with one secret.
pub(super) struct Opener(Option<LessSafeKey>);

impl Opener {
    pub(super) fn new(secret: &SecretString) -> Self {
        let root = digest::digest(&digest::SHA256, secret.expose_secret().as_bytes());
        Self(
            UnboundKey::new(&AES_256_GCM, root.as_ref())
                .map(LessSafeKey::new)
                .ok(),
        )
    }

    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let opened = self.0.as_ref()?;
        let length = opened
            .open_in_place(nonce, Aad::empty(), &mut buffer)
            .ok()?
            .len();
        buffer.truncate(length);
        Some(buffer)
    }
}

/// Opens a text with whichever secret sealed it.
pub(super) fn open(openers: &[Opener], sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
    let sealed = base64url::decode(sealed.trim_end_matches('='))?;
    openers.iter().find_map(|opener| opener.open(&sealed))
}

/// What is to be remembered of a key that signed access tokens at Hydra. The running second is not
/// Hydra's any more: a token of it may be one of ours.
pub(super) fn imported(row: &KeyRow, now: i64) -> Option<ImportedKey> {
    (row.set == ACCESS_TOKENS).then(|| ImportedKey {
        kid: row.kid.clone(),
        issued_until: now - 1,
    })
}
