//! Names of secrets that are no secrets: what a token is kept under.

use aws_lc_rs::hmac;
use carnet_jose::base64url;
use carnet_oauth::Random;
use secrecy::ExposeSecret as _;

use super::{Asker, Options};

/// The key of one token. Equal input gives equal keys inside one source and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    /// As 43 letters, digits, `-` and `_`.
    pub(super) fn text(&self) -> String {
        base64url::encode(self.0)
    }
}

/// Makes keys: an HMAC with a random key of this source, so that a key that leaks cannot be
/// compared with guessed secrets.
pub(super) struct Hasher(hmac::Key);

/// Makes the keys of tokens under the same options, of which it has read everything but the client.
pub(super) struct TokenHasher(hmac::Context);

/// Changes when the fields below do.
const VERSION: &[u8] = b"token 3";

/// The same of tokens in the place of others.
const EXCHANGED: &[u8] = b"exchanged token 1";

impl TokenHasher {
    /// The key of the token for who asks so: everything the caller and the configuration say and
    /// nothing that was learned, so that no stored state can mix up two callers. `None`: nobody asks.
    pub(super) fn key(&self, asker: &Asker) -> Option<Key> {
        let credentials = asker.likeliest()?;
        let secret = credentials.secret.expose_secret();
        let shown = [credentials.id.as_bytes(), secret.as_bytes()];
        let subject = asker.subject.iter();
        let subject = subject.map(|token| token.expose_secret().as_bytes());
        Some(ended(read(
            self.0.clone(),
            shown.into_iter().chain(subject),
        )))
    }
}

impl Hasher {
    pub(super) fn new(random: &dyn Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// One that makes the same keys wherever this one does.
    pub(super) fn with_key(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Reads what all tokens under these options have in common.
    pub(super) fn tokens(&self, options: &Options) -> TokenHasher {
        let mut scopes: Vec<&str> = options.scopes.iter().map(String::as_str).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let exchanged = options.grant.parts();
        let version = match exchanged {
            None => VERSION,
            Some(_) => EXCHANGED,
        };
        let exchanged = exchanged.iter().flatten().map(|part| part.as_bytes());
        let fixed = [
            options.url.as_str().as_bytes(),
            options.first_method.name().as_bytes(),
            options.audience.as_deref().unwrap_or_default().as_bytes(),
        ];
        let parameters = options
            .parameters
            .0
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value.expose_secret().as_bytes()]);
        // Lists stand behind their lengths: what ends one begins no other.
        let lengths = [scopes.len(), options.resources.len()];
        let lengths = lengths.map(|length| u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
        let parts = [version]
            .into_iter()
            .chain(exchanged)
            .chain(fixed)
            .chain(lengths.iter().map(<[u8; 8]>::as_slice))
            .chain(scopes.iter().map(|scope| scope.as_bytes()))
            .chain(options.resources.iter().map(String::as_bytes))
            .chain(parameters);
        TokenHasher(read(hmac::Context::with_key(&self.0), parts))
    }

    /// The same for stores that middlewares with other ways to be a client may share: `proof` tells
    /// these apart.
    pub(super) fn shared(
        &self,
        options: &Options,
        asker: &Asker,
        proof: &[Vec<u8>],
    ) -> Option<Key> {
        let token = self.tokens(options).key(asker)?;
        let proof = proof.iter().map(Vec::as_slice);
        Some(self.of([b"shared 1".as_slice(), &token.0].into_iter().chain(proof)))
    }

    /// The key of a client, whatever its secret.
    pub(super) fn client(&self, options: &Options, id: &str) -> Key {
        self.of([b"client 1", options.url.as_str().as_bytes(), id.as_bytes()])
    }

    fn of<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Key {
        ended(read(hmac::Context::with_key(&self.0), parts))
    }
}

/// Each part goes in behind its length: `ab`, `c` is not `a`, `bc`.
fn read<'a>(
    mut context: hmac::Context,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> hmac::Context {
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    context
}

fn ended(context: hmac::Context) -> Key {
    let mut key = [0; 32];
    key.copy_from_slice(context.sign().as_ref());
    Key(key)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use std::collections::BTreeSet;
    use std::time::Duration;

    use carnet_config::routing::middleware::oauth_client_credentials::{Parameters, Refresh};
    use carnet_oauth::client_auth::{Credentials, Method};
    use carnet_testkit::SeededRandom;
    use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};
    use secrecy::SecretString;

    use crate::token_source::Grant;

    /// Everything a key depends on.
    type Parts = (String, Vec<String>, Vec<String>, String, String, bool);

    fn key(hasher: &Hasher, (audience, scopes, resources, id, secret, basic): &Parts) -> [u8; 32] {
        let options = Options {
            grant: Grant::ClientCredentials,
            url: "https://a.example/token".parse().unwrap(),
            audience: Some(audience.clone()),
            scopes: scopes.clone(),
            resources: resources.clone(),
            parameters: Parameters(
                resources
                    .iter()
                    .map(|name| (name.clone(), SecretString::from(id.as_str())))
                    .collect(),
            ),
            first_method: if *basic { Method::Basic } else { Method::Post },
            timeout: Duration::from_secs(5),
            max_retries: 3,
            is_cached: true,
            max_age: Duration::from_secs(300),
            refresh: Refresh::Early,
            claims: std::collections::BTreeSet::new(),
        };
        let credentials = Credentials {
            id: id.clone(),
            secret: SecretString::from(secret.as_str()),
        };
        let asker = Asker {
            readings: [credentials].into(),
            subject: None,
        };
        hasher.tokens(&options).key(&asker).unwrap().0
    }

    fn parts() -> impl Strategy<Value = Parts> {
        let list = || proptest::collection::vec("[ab]{0,2}", 0..3);
        (
            "[ab]{0,2}",
            list(),
            list(),
            "[ab]{0,2}",
            "[ab]{0,2}",
            any::<bool>(),
        )
    }

    proptest! {
        // Holds CA-01.
        #[test]
        fn keys_are_equal_exactly_when_everything_they_stand_for_is(one in parts(), other in parts()) {
            let hasher = Hasher::new(&SeededRandom::new(42));
            let as_set = |parts: &Parts| {
                let scopes: BTreeSet<String> = parts.1.iter().cloned().collect();
                (parts.0.clone(), scopes, parts.2.clone(), parts.3.clone(), parts.4.clone(), parts.5)
            };
            let are_equal = key(&hasher, &one) == key(&hasher, &other);
            prop_assert_eq!(are_equal, as_set(&one) == as_set(&other));
        }
    }

    #[test]
    fn keys_of_another_source_are_others() {
        let parts = (
            String::new(),
            Vec::new(),
            Vec::new(),
            "id".to_owned(),
            "secret".to_owned(),
            true,
        );
        let random = SeededRandom::new(42);
        let (one, other) = (Hasher::new(&random), Hasher::new(&random));
        assert_ne!(key(&one, &parts), key(&other, &parts));
        assert_eq!(key(&one, &parts), key(&one, &parts));
    }
}
