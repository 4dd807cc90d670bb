//! Opaque tokens and codes in Hydra's form: `ory_at_`, 32 random bytes, a dot, their MAC. The store
//! sees the SHA-384 of the MAC part and nothing that could be shown as a token.

use aws_lc_rs::digest::{self, SHA384, SHA512_256};
use carnet_jose::base64url;
use carnet_oauth::Random;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use crate::domain::system_keys::SystemKeys;

/// What a text is for. One kind does not pass for another: each has a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
    /// An authorization code.
    Code,
    /// The code of a device.
    Device,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "ory_at_",
            Self::Refresh => "ory_rt_",
            Self::Code => "ory_ac_",
            Self::Device => "ory_dc_",
        }
    }
}

/// A new one, and the digest by which its row is found.
pub(super) fn issue(
    kind: Kind,
    keys: &SystemKeys,
    random: &dyn Random,
) -> Option<(SecretString, String)> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let mac = base64url::encode(hmac_sha512_256(keys.token_keys().next()?, &bytes));
    let token = format!("{}{}.{mac}", kind.prefix(), base64url::encode(bytes));
    Some((SecretString::from(token), row_digest(&mac)))
}

/// The digest of one that one of the keys signed.
pub(super) fn verified_digest(kind: Kind, keys: &SystemKeys, token: &str) -> Option<String> {
    let (random, mac) = token.strip_prefix(kind.prefix())?.split_once('.')?;
    let (bytes, given) = (base64url::decode(random)?, base64url::decode(mac)?);
    keys.token_keys()
        .any(|key| bool::from(hmac_sha512_256(key, &bytes).as_ref().ct_eq(&given)))
        .then(|| row_digest(mac))
}

/// The digest under which Hydra keeps a signed token: that of its signature.
pub(super) fn signature_digest(token: &str) -> Option<String> {
    token.rsplit_once('.').map(|(_, mac)| row_digest(mac))
}

fn row_digest(mac: &str) -> String {
    let digest = digest::digest(&SHA384, mac.as_bytes());
    digest
        .as_ref()
        .iter()
        .fold(String::with_capacity(96), |mut hex, byte| {
            use std::fmt::Write as _;
            // Writing to a text cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// HMAC (RFC 2104) over SHA-512/256, which the crypto library offers as a digest only.
fn hmac_sha512_256(key: &[u8; 32], message: &[u8]) -> digest::Digest {
    const BLOCK: usize = 128;
    let pad = |with: u8| {
        let mut block = [with; BLOCK];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let inner = digest::digest(&SHA512_256, &[&pad(0x36), message].concat());
    digest::digest(&SHA512_256, &[&pad(0x5c)[..], inner.as_ref()].concat())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicU64, Ordering},
    };

    use secrecy::ExposeSecret as _;

    use super::*;

    /// Counts, so that no two texts are alike.
    #[derive(Debug, Default)]
    struct Counting(AtomicU64);

    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            buffer[..8].copy_from_slice(&next);
        }
    }

    fn keys(secret: &str) -> SystemKeys {
        SystemKeys::new(&[SecretString::from(secret)], &Counting::default())
    }

    // Holds TE-25.
    #[test]
    fn a_token_is_found_by_its_digest_only_when_it_was_signed_here() {
        let (keys, random) = (keys("a"), Counting::default());
        let mut seen = BTreeSet::new();
        for _ in 0..100 {
            let (token, digest) = issue(Kind::Access, &keys, &random).unwrap();
            let text = token.expose_secret();
            assert_eq!(text.len(), 7 + 43 + 1 + 43);
            assert_eq!(
                verified_digest(Kind::Access, &keys, text),
                Some(digest.clone())
            );
            assert!(!text.contains(&digest) && seen.insert(digest));
            assert_eq!(
                verified_digest(Kind::Access, &keys, &format!("{text}x")),
                None
            );
            assert_eq!(
                verified_digest(Kind::Access, &super::tests::keys("b"), text),
                None
            );
        }
        assert_eq!(verified_digest(Kind::Access, &keys, "garbage"), None);
        let (code, _) = issue(Kind::Code, &keys, &random).unwrap();
        let code = code.expose_secret();
        assert!(code.starts_with("ory_ac_"), "{code}");
        assert_eq!(verified_digest(Kind::Refresh, &keys, code), None);
    }

    #[test]
    fn a_token_counts_as_long_as_the_system_secret_of_its_time_is_there() {
        let (token, digest) = issue(Kind::Access, &keys("old"), &Counting::default()).unwrap();
        let under = |secrets: &[&str]| {
            let secrets: Vec<SecretString> = secrets.iter().map(|&text| text.into()).collect();
            let keys = SystemKeys::new(&secrets, &Counting::default());
            verified_digest(Kind::Access, &keys, token.expose_secret())
        };
        assert_eq!(under(&["new", "old"]), Some(digest));
        assert_eq!(under(&["new"]), None);
    }

    #[test]
    fn the_mac_is_the_one_of_rfc_2104() {
        // Made with Python's hmac module over "sha512_256".
        let mac = hmac_sha512_256(&[0x0b; 32], b"Hi There");
        let hex = mac
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        assert_eq!(
            hex,
            "aaa0fdd1d8016134427d29c723fdbb4d6dc55403636b0c44b8b86e43fe9551e3"
        );
    }
}
