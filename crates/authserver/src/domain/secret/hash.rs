//! The stored forms of a secret: ours for generated ones, `PBKDF2` or `bcrypt` for those that people
//! chose, as Hydra writes them.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use carnet_oauth::Random;
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::system_keys::{Purpose, SystemKeys};

const KEYED: &str = "$hmac-sha256$";
const PBKDF2: &str = "$pbkdf2-sha256$";
const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;
/// bcrypt does not look at what comes after; a secret that is longer must not pass by its start.
const BCRYPT_MAX_LENGTH: usize = 72;

/// A stored hash, read.
#[derive(Debug)]
pub(super) enum StoredHash {
    /// A MAC over the client's id and the secret.
    Keyed(KeyedHash),
    /// Salted and slow.
    Slow(SlowHash),
}

/// A MAC, and the name of the system secret that made it.
#[derive(Debug)]
pub(super) struct KeyedHash {
    pub(super) system: String,
    mac: Vec<u8>,
}

/// What a MAC says of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It is right; by the system secret at this place, counted from the newest.
    Right(usize),
    /// It is wrong.
    Wrong,
    /// Nothing: the system secret is not at hand.
    Nothing,
}

/// How secrets that people chose are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// Of PBKDF2.
    pub(super) iterations: NonZeroU32,
    /// Of bcrypt; `None`: PBKDF2 is used. It is for a secret that is longer than bcrypt looks at, too.
    pub(super) bcrypt: Option<u32>,
}

impl Cost {
    fn bcrypt_for(self, secret: &SecretString) -> Option<u32> {
        let fits = secret.expose_secret().len() <= BCRYPT_MAX_LENGTH;
        self.bcrypt.filter(|_| fits)
    }
}

/// A hash whose verification takes milliseconds.
#[derive(Debug, Clone)]
pub(super) enum SlowHash {
    Pbkdf2 {
        iterations: NonZeroU32,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    Bcrypt(String),
}

impl StoredHash {
    /// Reads a stored hash; `None` when its form is unknown.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(keyed) = text.strip_prefix(KEYED) {
            let (system, mac) = keyed.strip_prefix("s=")?.split_once('$')?;
            let (system, mac) = (system.to_owned(), STANDARD_NO_PAD.decode(mac).ok()?);
            return Some(Self::Keyed(KeyedHash { system, mac }));
        }
        if text.starts_with("$2") {
            return Some(Self::Slow(SlowHash::Bcrypt(text.to_owned())));
        }
        let (parameters, rest) = text.strip_prefix(PBKDF2)?.split_once('$')?;
        let (salt, hash) = rest.split_once('$')?;
        let (iterations, length) = parameters.strip_prefix("i=")?.split_once(",l=")?;
        let hash = STANDARD_NO_PAD.decode(hash).ok()?;
        (length.parse() == Ok(hash.len()) && !hash.is_empty()).then_some(())?;
        Some(Self::Slow(SlowHash::Pbkdf2 {
            iterations: iterations.parse().ok()?,
            salt: STANDARD_NO_PAD.decode(salt).ok()?,
            hash,
        }))
    }
}

impl SlowHash {
    /// Whether the secret is the one that was hashed. Slow: not for an async thread.
    pub(super) fn verifies(&self, secret: &SecretString) -> bool {
        let secret = secret.expose_secret();
        match self {
            Self::Pbkdf2 {
                iterations,
                salt,
                hash,
            } => pbkdf2::verify(
                pbkdf2::PBKDF2_HMAC_SHA256,
                *iterations,
                salt,
                secret.as_bytes(),
                hash,
            )
            .is_ok(),
            Self::Bcrypt(hash) => {
                secret.len() <= BCRYPT_MAX_LENGTH && bcrypt::verify(secret, hash).unwrap_or(false)
            }
        }
    }

    /// Whether it is the form that would be written of this secret today.
    pub(super) fn is_current(&self, cost: Cost, secret: &SecretString) -> bool {
        let bcrypt = cost.bcrypt_for(secret);
        match self {
            Self::Pbkdf2 {
                iterations,
                salt,
                hash,
            } => {
                bcrypt.is_none()
                    && *iterations == cost.iterations
                    && salt.len() >= SALT_LENGTH
                    && hash.len() == HASH_LENGTH
            }
            Self::Bcrypt(text) => bcrypt.is_some() && bcrypt == bcrypt_cost(text),
        }
    }
}

/// The cost in a hash of bcrypt: `$2b$10$...`.
fn bcrypt_cost(text: &str) -> Option<u32> {
    text.split('$').nth(2)?.parse().ok()
}

/// Hashes a secret that somebody chose. Slow: not for an async thread.
pub(super) fn slow(secret: &SecretString, cost: Cost, random: &dyn Random) -> String {
    let (mut salt, mut hash) = ([0; SALT_LENGTH], [0; HASH_LENGTH]);
    random.fill(&mut salt);
    if let Some(cost) = cost.bcrypt_for(secret)
        && let Ok(hash) = bcrypt::hash_with_salt(secret.expose_secret(), cost, salt)
    {
        return hash.to_string();
    }
    let iterations = cost.iterations;
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        &salt,
        secret.expose_secret().as_bytes(),
        &mut hash,
    );
    format!(
        "{PBKDF2}i={iterations},l={HASH_LENGTH}${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    )
}

/// Hashes a generated secret.
pub(super) fn keyed(keys: &SystemKeys, client_id: &str, secret: &SecretString) -> Option<String> {
    let mac = keys.mac(Purpose::ClientSecrets, &message(client_id, secret))?;
    let (system, mac) = (keys.newest()?, STANDARD_NO_PAD.encode(mac));
    Some(format!("{KEYED}s={system}${mac}"))
}

/// Whether the secret has this MAC.
pub(super) fn verify_keyed(
    keys: &SystemKeys,
    client_id: &str,
    secret: &SecretString,
    hash: &KeyedHash,
) -> Said {
    let Some(at) = keys.place(&hash.system) else {
        return Said::Nothing;
    };
    let message = message(client_id, secret);
    match keys.verifies(at, Purpose::ClientSecrets, &message, &hash.mac) {
        true => Said::Right(at),
        false => Said::Wrong,
    }
}

/// An id and a secret with the length between them, so that no other pair reads the same.
pub(super) fn message(client_id: &str, secret: &SecretString) -> zeroize::Zeroizing<Vec<u8>> {
    let length = (client_id.len() as u64).to_be_bytes();
    let secret = secret.expose_secret().as_bytes();
    zeroize::Zeroizing::new([&length[..], client_id.as_bytes(), secret].concat())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    // PBKDF2-HMAC-SHA-256 of "traefiklabs", made with Python's hashlib.
    const HYDRA: &str = "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBInVqQfb+AREwHWbcfRrQldeNVly+Zp9nlVoi27gNA";

    fn slow_hash(text: &str) -> SlowHash {
        match StoredHash::parse(text).unwrap() {
            StoredHash::Slow(hash) => hash,
            StoredHash::Keyed(_) => unreachable!(),
        }
    }

    fn pbkdf2_of(iterations: u32) -> Cost {
        Cost {
            iterations: NonZeroU32::new(iterations).unwrap(),
            bcrypt: None,
        }
    }

    #[test]
    fn a_chosen_secret_is_hashed_as_the_options_say() {
        let secret = "a chosen secret".into();
        let [four, five] = [4, 5].map(|cost| Cost {
            bcrypt: Some(cost),
            ..pbkdf2_of(2)
        });
        let text = slow(&secret, four, &Zeros);
        assert!(text.starts_with("$2b$04$"), "{text}");
        let hash = slow_hash(&text);
        assert!(hash.verifies(&secret));
        assert!(hash.is_current(four, &secret));
        assert!(!hash.is_current(five, &secret));
        assert!(!hash.is_current(pbkdf2_of(2), &secret));
        let older = slow_hash(&slow(&secret, pbkdf2_of(2), &Zeros));
        assert!(!older.is_current(four, &secret));
        let long = "s".repeat(73).into();
        let text = slow(&long, four, &Zeros);
        assert!(text.starts_with(PBKDF2), "{text}");
        assert!(slow_hash(&text).is_current(four, &long));
    }

    #[test]
    fn hashes_in_hydras_form_are_read() {
        let hash = slow_hash(HYDRA);
        assert!(hash.verifies(&"traefiklabs".into()));
        assert!(!hash.verifies(&"traefiklab".into()));
        let secret = "traefiklabs".into();
        assert!(!hash.is_current(pbkdf2_of(25_000), &secret));
        assert!(hash.is_current(pbkdf2_of(1000), &secret));
    }

    // Holds TE-16.
    #[test]
    fn every_byte_of_a_secret_counts() {
        let long = "s".repeat(73);
        let hash = slow_hash(&bcrypt::hash(&long[..72], 4).unwrap());
        assert!(hash.verifies(&long[..72].into()));
        assert!(!hash.verifies(&long.as_str().into()));
        let by_bcrypt = Cost {
            bcrypt: Some(4),
            ..pbkdf2_of(2)
        };
        for (length, cost) in [73, 200, 1024]
            .into_iter()
            .zip([by_bcrypt, pbkdf2_of(2), by_bcrypt])
        {
            let secret = "s".repeat(length);
            let hash = slow_hash(&slow(&secret.as_str().into(), cost, &Zeros));
            assert!(hash.verifies(&secret.as_str().into()));
            assert!(!hash.verifies(&secret[..72].into()));
            assert!(!hash.verifies(&format!("{secret}\0").into()));
        }
    }

    #[test]
    fn a_keyed_hash_belongs_to_one_client() {
        let keys = SystemKeys::new(&["system-secret-0123".into()], &Zeros);
        let text = keyed(&keys, "a", &"bc".into()).unwrap();
        let Some(StoredHash::Keyed(hash)) = StoredHash::parse(&text) else {
            unreachable!()
        };
        let said = |keys, id, secret: &str| verify_keyed(keys, id, &secret.into(), &hash);
        assert_eq!(said(&keys, "a", "bc"), Said::Right(0));
        assert_eq!(said(&keys, "ab", "c"), Said::Wrong);
        let others = SystemKeys::new(&["another-secret-0123".into()], &Zeros);
        assert_eq!(said(&others, "a", "bc"), Said::Nothing);
    }

    #[test]
    fn unknown_forms_are_none() {
        for text in [
            "",
            "plain",
            "$argon2id$v=19$x",
            "$hmac-sha256$YQ",
            "$pbkdf2-sha256$i=0,l=32$YQ$YQ",
        ] {
            assert!(StoredHash::parse(text).is_none(), "{text}");
        }
    }

    #[derive(Debug)]
    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }
}
