//! One secret of the configuration, and what is made of it: names that tell nothing about the
//! callers they stand for, and values that only gateways with the same secret can read, each under
//! the name that it was written for.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use carnet_oauth::Random;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::token_source::key::Hasher;

/// How values are laid out; the first byte of each.
const LAYOUT: u8 = 1;

/// The layout, the version of the secret, and the salt of the value's own key.
const HEAD: usize = 1 + VERSION + SALT;
const VERSION: usize = 4;
const SALT: usize = 16;
const KEY: usize = 32;

/// What a secret is good for.
pub(crate) struct Seal {
    hasher: Hasher,
    /// Says in a value which secret it was sealed with.
    version: [u8; VERSION],
    values: Zeroizing<[u8; KEY]>,
}

impl Seal {
    /// The seal of a store of tokens. The error is one sentence.
    pub(super) fn of_store(secret: &SecretString) -> Result<Self, String> {
        let seal = Self::new(b"carnet store 1", secret.expose_secret().as_bytes());
        seal.ok_or_else(|| "`store.secret` cannot be used".to_owned())
    }

    /// What was sealed for one purpose opens for no other. `None` when the crypto library fails.
    pub(crate) fn new(purpose: &[u8], secret: &[u8]) -> Option<Self> {
        let made = || -> Result<Self, Unspecified> {
            let root = Salt::new(HKDF_SHA256, purpose).extract(secret);
            Ok(Self {
                hasher: Hasher::with_key(&*Zeroizing::new(derived::<KEY>(&root, b"names")?)),
                version: derived(&root, b"version")?,
                values: Zeroizing::new(derived(&root, b"values")?),
            })
        };
        made().ok()
    }

    /// Makes the keys that names stand for.
    pub(super) fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// A value that can be read under this name alone.
    pub(crate) fn seal(&self, name: &str, value: &[u8], random: &dyn Random) -> Option<Vec<u8>> {
        let mut sealed = Vec::with_capacity(HEAD + value.len() + MAX_TAG_LEN);
        sealed.push(LAYOUT);
        sealed.extend_from_slice(&self.version);
        let mut salt = [0; SALT];
        random.fill(&mut salt);
        sealed.extend_from_slice(&salt);
        let (key, nonce) = self.key(&salt).ok()?;
        let bound = bound(&sealed, name);
        let mut text = value.to_vec();
        key.seal_in_place_append_tag(nonce, Aad::from(bound), &mut text)
            .ok()?;
        sealed.extend_from_slice(&text);
        Some(sealed)
    }

    /// What was sealed under this name with this secret; `None` for anything else.
    pub(crate) fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (head, text) = sealed.split_at_checked(HEAD)?;
        let (layout, rest) = head.split_first()?;
        let (version, salt) = rest.split_at_checked(VERSION)?;
        if *layout != LAYOUT || version != self.version {
            return None;
        }
        let (key, nonce) = self.key(salt).ok()?;
        let mut text = text.to_vec();
        let opened = key.open_in_place(nonce, Aad::from(bound(head, name)), &mut text);
        let length = opened.ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// Each value has a key and a nonce of its own, so none is ever used twice, however many values
    /// a fleet writes.
    fn key(&self, salt: &[u8]) -> Result<(LessSafeKey, Nonce), Unspecified> {
        let own = Salt::new(HKDF_SHA256, salt).extract(self.values.as_slice());
        let key = UnboundKey::new(&AES_256_GCM, &derived::<KEY>(&own, b"key")?)?;
        let nonce = derived::<NONCE_LEN>(&own, b"nonce")?;
        Ok((LessSafeKey::new(key), Nonce::assume_unique_for_key(nonce)))
    }
}

/// What is not secret and cannot be changed either: the head and the name.
fn bound(head: &[u8], name: &str) -> Vec<u8> {
    [head, name.as_bytes()].concat()
}

/// So many bytes of key material.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derived<const N: usize>(root: &Prk, label: &[u8]) -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    root.expand(&[label], Length(N))?.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use carnet_testkit::SeededRandom;
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use proptest::sample::Index;

    fn seal(secret: &str) -> Seal {
        Seal::of_store(&SecretString::from(secret)).unwrap()
    }

    const NAME: &str = "carnet:token:{a}";

    // Holds CA-03.
    #[test]
    fn a_value_is_read_again_and_shows_nothing_of_itself() {
        let (one, random) = (seal("0123456789abcdef"), SeededRandom::new(42));
        let sealed = one.seal(NAME, b"a token", &random).unwrap();
        let again = one.seal(NAME, b"a token", &random).unwrap();
        assert_eq!(one.open(NAME, &sealed).unwrap(), b"a token");
        assert!(!sealed.windows(5).any(|part| part == b"token"));
        assert_ne!(sealed[HEAD..], again[HEAD..]);
    }

    // Holds CA-04, CA-16.
    #[test]
    fn a_value_is_read_under_its_own_name_and_secret_alone() {
        let (one, random) = (seal("0123456789abcdef"), SeededRandom::new(42));
        let sealed = one.seal(NAME, b"a token", &random).unwrap();
        assert_eq!(one.open("carnet:token:{b}", &sealed), None);
        assert_eq!(seal("0123456789abcdeg").open(NAME, &sealed), None);
        assert_eq!(
            seal("0123456789abcdef").open(NAME, &sealed).unwrap(),
            b"a token"
        );
    }

    proptest! {
        // Holds CA-04.
        #[test]
        fn a_value_with_one_bit_changed_or_an_end_cut_off_is_none(
            at in any::<Index>(), bit in 0..8_u8, value in vec(any::<u8>(), 0..40),
        ) {
            let (one, random) = (seal("0123456789abcdef"), SeededRandom::new(42));
            let sealed = one.seal(NAME, &value, &random).unwrap();
            prop_assert_eq!(one.open(NAME, &sealed), Some(value.clone()));
            let at = at.index(sealed.len());
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            prop_assert_eq!(one.open(NAME, &changed), None);
            prop_assert_eq!(one.open(NAME, &sealed[..at]), None);
        }
    }
}
