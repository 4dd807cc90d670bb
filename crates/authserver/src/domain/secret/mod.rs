//! Secrets of clients: how they are made, kept and verified.
//!
//! Generated ones have 157 bits of chance: a fast keyed hash keeps them. Those that people chose
//! can be guessed: a slow hash keeps them, off the async threads and in a bounded queue
//! ([`verifier`]). Failures are answered at a fixed time ([`failure`]).

pub(super) mod failure;
mod hash;
mod queue;
pub(super) mod verifier;

use carnet_oauth::Random;
use secrecy::SecretString;

pub(super) use queue::Busy;

/// Characters that mean themselves in every encoding.
const ALPHABET: &[u8; 66] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~";

/// The length of a generated secret.
const GENERATED_LENGTH: usize = 26;

/// Whether a stored hash is of a kind that can be verified.
pub(crate) fn is_readable(hash: &str) -> bool {
    hash::StoredHash::parse(hash).is_some()
}

/// Makes a secret. Bytes beyond the last whole multiple of the alphabet are thrown away, so that
/// each character is equally likely.
pub(super) fn generate(random: &dyn Random) -> SecretString {
    let mut secret = String::with_capacity(GENERATED_LENGTH);
    let mut bytes = [0; 64];
    while secret.len() < GENERATED_LENGTH {
        random.fill(&mut bytes);
        let fair = bytes.iter().filter(|&&byte| byte < 198);
        let missing = GENERATED_LENGTH - secret.len();
        let characters = fair.map(|&byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        secret.extend(characters.take(missing));
    }
    SecretString::from(secret)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[derive(Debug)]
    struct Ascending;

    impl Random for Ascending {
        fn fill(&self, buffer: &mut [u8]) {
            for (byte, at) in buffer.iter_mut().zip(180_u8..) {
                *byte = at;
            }
        }
    }

    #[test]
    fn a_generated_secret_has_26_characters_that_need_no_encoding() {
        let secret = generate(&Ascending);
        let text = secret.expose_secret();
        assert_eq!(text.len(), 26);
        assert!(text.bytes().all(|byte| ALPHABET.contains(&byte)), "{text}");
    }
}
