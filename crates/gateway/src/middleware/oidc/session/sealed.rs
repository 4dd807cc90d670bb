//! What a browser keeps for the middleware, sealed: nobody reads or changes it, and it opens under
//! the cookie's name that it was sealed for, for the same middleware and client, until its end.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use carnet_jose::base64url;
use carnet_oauth::{Clock, Random};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::token_source::Seal;

/// As many bytes as a key of AES-256 has. A shorter secret may be a word that somebody chose.
const LONG: usize = 32;

/// Everybody may have a cookie, and may try with it whether a word is the secret. Each try of a short
/// one costs so many rounds (OWASP's number for PBKDF2 with SHA-256).
const ROUNDS: NonZeroU32 = match NonZeroU32::new(600_000) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};

/// Longer values are none of ours.
const LONGEST: usize = 256 << 10;

/// The end, in seconds since 1970, before the rest.
const END: usize = 8;

/// Seals and opens.
pub(in crate::middleware::oidc) struct Sealed {
    /// The newest first: it seals.
    seals: Vec<Seal>,
    /// Begins the name of everything: whose it is.
    owner: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// What was opened.
pub(in crate::middleware::oidc) struct Opened {
    pub(in crate::middleware::oidc) bytes: Zeroizing<Vec<u8>>,
    pub(in crate::middleware::oidc) until: SystemTime,
}

impl Sealed {
    /// What these secrets seal, the newest first, for a middleware (`login@file`) and a client. A
    /// short secret takes a tenth of a second. The error is one sentence.
    pub(in crate::middleware::oidc) fn new(
        secrets: &[SecretString],
        (middleware, client): (&str, &str),
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, String> {
        // Each part stands behind its length: what ends one begins no other.
        let owner = [middleware, client].map(|part| format!("{}:{part}", part.len()));
        let owner = owner.concat();
        let seal = |secret: &SecretString| {
            let secret = secret.expose_secret().as_bytes();
            match secret.is_empty() {
                true => None,
                false => Seal::new(b"carnet oidc 1", &stretched(secret, &owner)),
            }
        };
        let seals: Option<Vec<Seal>> = secrets.iter().map(seal).collect();
        match seals.filter(|seals| !seals.is_empty()) {
            Some(seals) => Ok(Self {
                seals,
                owner,
                clock,
                random,
            }),
            None => Err(
                "there is nothing to seal its cookies with; set `session.secret` or `clientSecret`"
                    .to_owned(),
            ),
        }
    }

    /// The text of a cookie of this name. Where the crypto library fails it is empty, and opens as
    /// nothing.
    pub(in crate::middleware::oidc) fn seal(
        &self,
        name: &str,
        bytes: &[u8],
        until: SystemTime,
    ) -> String {
        let end = until.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut text = Zeroizing::new(Vec::with_capacity(END + bytes.len()));
        text.extend_from_slice(&end.as_secs().to_be_bytes());
        text.extend_from_slice(bytes);
        let newest = self.seals.first();
        let sealed =
            newest.and_then(|seal| seal.seal(&self.full(name), &text, self.random.as_ref()));
        sealed.map(base64url::encode).unwrap_or_default()
    }

    /// What was sealed under this name and has not ended; `None` for anything else.
    pub(in crate::middleware::oidc) fn open(&self, name: &str, value: &str) -> Option<Opened> {
        if value.len() > LONGEST {
            return None;
        }
        let sealed = base64url::decode(value)?;
        let name = self.full(name);
        let text = self.seals.iter().find_map(|seal| seal.open(&name, &sealed));
        let text = Zeroizing::new(text?);
        let (end, bytes) = text.split_first_chunk::<END>()?;
        let until = UNIX_EPOCH.checked_add(Duration::from_secs(u64::from_be_bytes(*end)))?;
        (self.clock.now() < until).then(|| Opened {
            bytes: Zeroizing::new(bytes.to_vec()),
            until,
        })
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.owner)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").finish_non_exhaustive()
    }
}

fn stretched(secret: &[u8], owner: &str) -> Zeroizing<Vec<u8>> {
    if secret.len() >= LONG {
        return Zeroizing::new(secret.to_vec());
    }
    let mut key = Zeroizing::new(vec![0; LONG]);
    pbkdf2::derive(
        PBKDF2_HMAC_SHA256,
        ROUNDS,
        owner.as_bytes(),
        secret,
        &mut key,
    );
    key
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use carnet_testkit::{FixedClock, SeededRandom};
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::sample::Index;

    const SECRET: &str = "a secret as long as a key of AES";

    fn sealed(secrets: &[&str], owner: (&str, &str)) -> (Sealed, Arc<FixedClock>) {
        let secrets: Vec<SecretString> = secrets.iter().map(|one| (*one).into()).collect();
        let (clock, random) = (Arc::<FixedClock>::default(), SeededRandom::default());
        let sealed = Sealed::new(&secrets, owner, clock.clone(), Arc::new(random));
        (sealed.unwrap(), clock)
    }

    fn opened(sealed: &Sealed, name: &str, value: &str) -> Option<Vec<u8>> {
        sealed.open(name, value).map(|opened| opened.bytes.to_vec())
    }

    // Holds RP-03.
    #[test]
    fn it_opens_for_its_name_middleware_and_client_alone() {
        let (one, clock) = sealed(&[SECRET], ("login@file", "client"));
        let until = clock.now() + Duration::from_secs(60);
        let value = one.seal("session", b"who it is", until);
        assert_eq!(opened(&one, "session", &value).unwrap(), b"who it is");
        assert_eq!(one.open("session", &value).unwrap().until, until);
        for name in ["state", "session-1", "", "sessio"] {
            assert_eq!(opened(&one, name, &value), None, "{name}");
        }
        for owner in [
            ("other@file", "client"),
            ("login@file", "other"),
            ("login@filec", "lient"),
        ] {
            let (other, _) = sealed(&[SECRET], owner);
            assert_eq!(opened(&other, "session", &value), None, "{owner:?}");
        }
        let other = "a secret as long as a key of aes";
        let (other, _) = sealed(&[other], ("login@file", "client"));
        assert_eq!(opened(&other, "session", &value), None);
    }

    #[test]
    fn it_opens_until_its_end() {
        let (one, clock) = sealed(&[SECRET], ("login@file", "client"));
        let value = one.seal("s", b"x", clock.now() + Duration::from_secs(60));
        clock.advance(Duration::from_secs(59));
        assert!(opened(&one, "s", &value).is_some());
        clock.advance(Duration::from_secs(1));
        assert_eq!(opened(&one, "s", &value), None);
    }

    #[test]
    fn a_secret_may_change_and_a_short_one_is_stretched() {
        let owner = ("login@file", "client");
        let (old, clock) = sealed(&["traefiklabs"], owner);
        let until = clock.now() + Duration::from_secs(60);
        let value = old.seal("s", b"x", until);
        let (both, _) = sealed(&[SECRET, "traefiklabs"], owner);
        assert!(opened(&both, "s", &value).is_some());
        assert_eq!(opened(&old, "s", &both.seal("s", b"x", until)), None);
        assert_ne!(
            stretched(b"traefiklabs", "a"),
            stretched(b"traefiklabs", "b")
        );
        let none: [&[SecretString]; 3] = [&[], &["".into()], &[SECRET.into(), "".into()]];
        for secrets in none {
            let (clock, random) = (Arc::<FixedClock>::default(), SeededRandom::default());
            assert!(Sealed::new(secrets, owner, clock, Arc::new(random)).is_err());
        }
    }

    proptest! {
        #[test]
        fn with_one_bit_changed_or_an_end_cut_off_it_is_nothing(
            at in any::<Index>(), bit in 0..8_u8, bytes in vec(any::<u8>(), 0..40),
        ) {
            let (one, clock) = sealed(&[SECRET], ("login@file", "client"));
            let value = one.seal("s", &bytes, clock.now() + Duration::from_secs(60));
            prop_assert_eq!(opened(&one, "s", &value), Some(bytes));
            let mut raw = base64url::decode(&value).unwrap();
            let cut = at.index(raw.len());
            prop_assert!(one.open("s", &base64url::encode(&raw[..cut])).is_none());
            prop_assert!(one.open("s", &value[..at.index(value.len())]).is_none());
            raw[cut] ^= 1 << bit;
            prop_assert!(one.open("s", &base64url::encode(raw)).is_none());
        }
    }
}
