//! Hashes of passwords as `htpasswd` writes them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

/// A hash of one of the kinds that Traefik verifies.
#[derive(Debug)]
pub(in super::super) enum Hash {
    /// `$2y$` and its siblings.
    Bcrypt(String),
    /// `$apr1$` and `$1$`.
    Md5Crypt {
        magic: &'static str,
        salt: String,
        hash: String,
    },
    /// `{SHA}`.
    Sha1(Vec<u8>),
}

impl Hash {
    /// `None` when it is of no such kind, or broken.
    pub(in super::super) fn parse(text: &str) -> Option<Self> {
        if let Some(encoded) = text.strip_prefix("{SHA}") {
            let hash = STANDARD.decode(encoded).ok()?;
            return (hash.len() == SHA1_FOR_LEGACY_USE_ONLY.output_len())
                .then_some(Self::Sha1(hash));
        }
        for magic in ["$apr1$", "$1$"] {
            if let Some(rest) = text.strip_prefix(magic) {
                let (salt, hash) = rest.split_once('$')?;
                return Some(Self::Md5Crypt {
                    magic,
                    salt: salt.get(..8).unwrap_or(salt).to_owned(),
                    hash: hash.to_owned(),
                });
            }
        }
        text.parse::<bcrypt::HashParts>().ok()?;
        Some(Self::Bcrypt(text.to_owned()))
    }

    /// Whether it is the password's. Takes its time.
    pub(in super::super) fn is_of(&self, password: &str) -> bool {
        let same = |a: &[u8], b: &[u8]| verify_slices_are_equal(a, b).is_ok();
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Md5Crypt { magic, salt, hash } => same(
                md5_crypt(password.as_bytes(), magic, salt).as_bytes(),
                hash.as_bytes(),
            ),
            Self::Sha1(hash) => same(
                digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref(),
                hash,
            ),
        }
    }
}

/// MD5 in a thousand rounds, as FreeBSD's `crypt` and Apache's `htpasswd` do it. No kept crate has
/// it (ADR 0028).
fn md5_crypt(password: &[u8], magic: &str, salt: &str) -> String {
    let salt = salt.as_bytes();
    let other = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut first = Md5::new()
        .chain_update(password)
        .chain_update(magic)
        .chain_update(salt);
    for at in (0..password.len()).step_by(16) {
        let count = (password.len() - at).min(16);
        first.update(other.get(..count).unwrap_or_default());
    }
    // For each bit of the length a zero, or the first byte of the password.
    let mut bits = password.len();
    while bits > 0 {
        match bits & 1 {
            1 => first.update([0]),
            _ => first.update(password.get(..1).unwrap_or_default()),
        }
        bits >>= 1;
    }
    let mut hash = first.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        let (before, after) = match round % 2 {
            1 => (password, hash.as_slice()),
            _ => (hash.as_slice(), password),
        };
        next.update(before);
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(after);
        hash = next.finalize();
    }
    written(hash.as_slice())
}

/// The bytes of a hash in `crypt`'s order and alphabet.
fn written(hash: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let byte = |at: usize| u32::from(hash.get(at).copied().unwrap_or_default());
    let mut out = String::with_capacity(22);
    let groups = ORDER.map(|at| (at.map(byte), 4));
    for ([high, middle, low], count) in groups.into_iter().chain([([0, 0, byte(11)], 2)]) {
        let mut group = high << 16 | middle << 8 | low;
        for _ in 0..count {
            let at = usize::try_from(group & 63).unwrap_or(0);
            out.push(ALPHABET.get(at).map_or('.', |c| char::from(*c)));
            group >>= 6;
        }
    }
    out
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Made by `openssl passwd` and `htpasswd -s`; the last is a vector of OpenBSD's.
    const HASHES: [(&str, &str); 9] = [
        ("", "$1$abcdefgh$M55TzYaaccxVGbptZWaxX/"),
        ("test", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0"),
        ("test", "$apr1$abcdefgh$/cesMUEGhga5MgaTGywaW0"),
        ("p:w+1 %/é", "$apr1$abcdefgh$afHhjBQSZR/WJXv6l392A."),
        (
            "a long password of more than sixteen bytes",
            "$1$abcdefgh$xYohNJ.PKOzgm/iIHM9jd/",
        ),
        (
            "a long password of more than sixteen bytes",
            "$apr1$abcdefgh$Ssov4/LtwvIfiJVsWmuPQ/",
        ),
        ("test", "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"),
        ("test", "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="),
        (
            "U*U",
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        ),
    ];

    #[test]
    fn hashes_are_of_their_passwords_and_of_no_others() {
        for (password, text) in HASHES {
            let hash = Hash::parse(text).unwrap();
            assert!(hash.is_of(password), "{text}");
            assert!(!hash.is_of("another"), "{text}");
        }
    }

    #[test]
    fn what_is_no_hash_is_not_read() {
        for text in [
            "",
            "password",
            "$1$salt",
            "$2y$05$short",
            "{SHA}AAAA",
            "$6$salt$hash",
        ] {
            assert!(Hash::parse(text).is_none(), "{text}");
        }
    }
}
