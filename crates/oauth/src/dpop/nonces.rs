//! Nonces of a server that keeps none of them: each is a MAC over the time, so every server of the
//! same keys takes those of the others.

use aws_lc_rs::hmac;
use carnet_jose::base64url;

/// So many seconds a nonce is the newest; it counts for as long again.
const SLOT: i64 = 120;

/// Makes nonces and knows them again.
#[derive(Debug)]
pub struct Nonces {
    /// The newest first.
    keys: Vec<hmac::Key>,
}

impl Nonces {
    /// Nonces of these keys: the first makes them, all know them again.
    pub fn new<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Self {
        let keys = keys.into_iter();
        let key = |key: K| hmac::Key::new(hmac::HMAC_SHA256, key.as_ref());
        Self {
            keys: keys.map(key).collect(),
        }
    }

    /// The nonce of a time, in seconds since 1970; empty without a key.
    #[must_use]
    pub fn at(&self, now: i64) -> String {
        let slot = now.div_euclid(SLOT);
        let key = self.keys.first();
        key.map_or_else(String::new, |key| nonce(key, slot))
    }

    /// Whether a nonce counts at a time. One that another server made a moment ahead does.
    #[must_use]
    pub fn accepts(&self, nonce: &str, now: i64) -> bool {
        let slot = now.div_euclid(SLOT);
        let Some(tag) = base64url::decode(nonce) else {
            return false;
        };
        let is_of = |key: &hmac::Key| {
            // `hmac::verify` compares in constant time.
            (slot - 1..=slot + 1).any(|slot| hmac::verify(key, &message(slot), &tag).is_ok())
        };
        self.keys.iter().any(is_of)
    }

    /// The nonce to use in the place of one that still counts; `None`: that is the newest, or another
    /// server made it a moment ahead.
    #[must_use]
    pub fn after(&self, nonce: &str, now: i64) -> Option<String> {
        let slot = now.div_euclid(SLOT);
        let tag = base64url::decode(nonce).unwrap_or_default();
        let is_of = |slot| {
            let newest = self.keys.first();
            newest.is_some_and(|key| hmac::verify(key, &message(slot), &tag).is_ok())
        };
        let is_newest = is_of(slot) || is_of(slot + 1);
        (!is_newest).then(|| self.at(now))
    }
}

fn nonce(key: &hmac::Key, slot: i64) -> String {
    base64url::encode(hmac::sign(key, &message(slot)))
}

fn message(slot: i64) -> [u8; 8] {
    slot.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_counts_for_a_while_at_every_server_of_its_key() {
        let (one, both) = (Nonces::new([b"old"]), Nonces::new([b"new", b"old"]));
        let made = one.at(10 * SLOT);
        for (now, counts) in [
            (9 * SLOT - 1, false),
            (9 * SLOT, true),
            (10 * SLOT, true),
            (12 * SLOT - 1, true),
            (12 * SLOT, false),
        ] {
            assert_eq!(one.accepts(&made, now), counts, "{now}");
            assert_eq!(both.accepts(&made, now), counts, "{now}");
        }
        assert!(!one.accepts(&both.at(10 * SLOT), 10 * SLOT));
        assert_eq!(one.at(10 * SLOT), one.at(11 * SLOT - 1));
        assert_ne!(one.at(10 * SLOT), one.at(11 * SLOT));
        for text in ["", "x", "AAAA"] {
            assert!(!one.accepts(text, 10 * SLOT), "{text}");
        }
    }

    #[test]
    fn the_next_nonce_is_told_before_the_old_one_ends() {
        let (one, both) = (Nonces::new([b"old"]), Nonces::new([b"new", b"old"]));
        let made = one.at(10 * SLOT);
        for now in [9 * SLOT, 10 * SLOT, 11 * SLOT - 1] {
            assert_eq!(one.after(&made, now), None, "{now}");
        }
        for now in [11 * SLOT, 12 * SLOT - 1] {
            let next = one.after(&made, now);
            assert_eq!(next.as_deref(), Some(one.at(11 * SLOT).as_str()), "{now}");
            assert!(one.accepts(&made, now), "{now}");
        }
        // A secret that goes away takes its nonces along.
        let next = both.after(&made, 10 * SLOT);
        assert_eq!(next, Some(both.at(10 * SLOT)));
        assert_eq!(Nonces::new([b""; 0]).after(&made, 0), Some(String::new()));
    }
}
