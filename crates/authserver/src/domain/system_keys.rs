//! Keys derived from `secrets.system`: the first secret seals and signs, all of them open and
//! verify. So a secret can be replaced, and dropped once nothing of its time is left.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, hmac,
};
use carnet_jose::base64url;
use carnet_oauth::Random;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// What a derived key is for; one purpose cannot be played off against another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Seals signing keys.
    Keys,
    /// Seals page tokens.
    Pages,
    /// Hashes generated client secrets.
    ClientSecrets,
    /// Seals what a browser carries between here and the login and consent applications.
    Flows,
    /// Hashes the codes that people type.
    UserCodes,
    /// Signs the names of status lists.
    StatusLists,
}

impl Purpose {
    const ALL: [Self; 6] = [
        Self::Keys,
        Self::Pages,
        Self::ClientSecrets,
        Self::Flows,
        Self::UserCodes,
        Self::StatusLists,
    ];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::Keys => b"carnet: sealed keys, 1",
            Self::Pages => b"carnet: page tokens, 1",
            Self::ClientSecrets => b"carnet: client secrets, 1",
            Self::Flows => b"carnet: flows of people, 1",
            Self::UserCodes => b"carnet: user codes, 1",
            Self::StatusLists => b"carnet: status lists, 1",
        }
    }
}

/// The derived keys.
pub(super) struct SystemKeys {
    /// One for each secret, newest first.
    roots: Vec<Root>,
    /// By what what was made with a secret tells with which: nobody learns the secret from it.
    names: Vec<String>,
}

/// What comes of one secret.
struct Root {
    /// Its SHA-256. Opaque tokens use it as it is, as Hydra does.
    digest: Zeroizing<[u8; 32]>,
    /// For each purpose a key for MACs, derived once: every token request needs one.
    macs: [hmac::Key; Purpose::ALL.len()],
}

impl SystemKeys {
    /// Derives from the secrets; without any, from random bytes that nobody will have again.
    pub(super) fn new(secrets: &[SecretString], random: &dyn Random) -> Self {
        let mut roots: Vec<_> = secrets
            .iter()
            .map(|secret| Root::new(secret.expose_secret().as_bytes()))
            .collect();
        if roots.is_empty() {
            tracing::warn!(
                "secrets.system is not set: a secret was made for this process, and keys and \
                 tokens in the database will not outlive it"
            );
            let mut bytes = Zeroizing::new([0; 32]);
            random.fill(&mut *bytes);
            roots.push(Root::new(&*bytes));
        }
        let names = roots.iter().map(|root| name(&root.digest)).collect();
        Self { roots, names }
    }

    /// The name of the newest secret.
    pub(super) fn newest(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }

    /// The place of the secret of a name, counted from the newest.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// How many secrets there are.
    pub(super) fn count(&self) -> usize {
        self.roots.len()
    }

    /// The key that signs opaque tokens, and all that verify them.
    pub(super) fn token_keys(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.roots.iter().map(|root| &*root.digest)
    }

    /// The MAC of a message with the newest key.
    pub(super) fn mac(&self, purpose: Purpose, message: &[u8]) -> Option<hmac::Tag> {
        let root = self.roots.first()?;
        Some(hmac::sign(root.mac_key(purpose), message))
    }

    /// Whether a MAC is right with the key at this place, counted from the newest.
    pub(super) fn verifies(&self, at: usize, purpose: Purpose, message: &[u8], mac: &[u8]) -> bool {
        let root = self.roots.get(at);
        // `hmac::verify` compares in constant time.
        root.is_some_and(|root| hmac::verify(root.mac_key(purpose), message, mac).is_ok())
    }

    /// Seals a text so that it opens only in its context: AES-256-GCM, the nonce in front.
    pub(super) fn seal(
        &self,
        purpose: Purpose,
        random: &dyn Random,
        text: &[u8],
        context: &str,
    ) -> Option<String> {
        let key = aead_key(self.roots.first()?, purpose)?;
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut sealed = text.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context.as_bytes()),
            &mut sealed,
        )
        .ok()?;
        Some(base64url::encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed in the same context, with whichever key did it.
    pub(super) fn open(
        &self,
        purpose: Purpose,
        sealed: &str,
        context: &str,
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.opening(purpose, sealed, context).map(|(_, text)| text)
    }

    /// The same, and which key did it, counted from the newest.
    pub(super) fn opening(
        &self,
        purpose: Purpose,
        sealed: &str,
        context: &str,
    ) -> Option<(usize, Zeroizing<Vec<u8>>)> {
        let bytes = base64url::decode(sealed)?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_LEN)?;
        self.roots.iter().enumerate().find_map(|(at, root)| {
            let mut buffer = Zeroizing::new(ciphertext.to_vec());
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let length = aead_key(root, purpose)?
                .open_in_place(nonce, Aad::from(context.as_bytes()), &mut buffer)
                .ok()?
                .len();
            buffer.truncate(length);
            Some((at, buffer))
        })
    }
}

impl std::fmt::Debug for SystemKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemKeys")
            .field("secrets", &self.roots.len())
            .finish_non_exhaustive()
    }
}

impl Root {
    fn new(secret: &[u8]) -> Self {
        let mut digest = Zeroizing::new([0; 32]);
        digest.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
        let mac = |purpose| hmac::Key::new(hmac::HMAC_SHA256, &*subkey(&digest, purpose));
        Self {
            macs: Purpose::ALL.map(mac),
            digest,
        }
    }

    const fn mac_key(&self, purpose: Purpose) -> &hmac::Key {
        &self.macs[purpose as usize]
    }
}

fn name(root: &[u8; 32]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, root);
    let tag = hmac::sign(&key, b"carnet: name of a secret, 1");
    base64url::encode(tag.as_ref().get(..6).unwrap_or_default())
}

fn subkey(root: &[u8; 32], purpose: Purpose) -> Zeroizing<[u8; 32]> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, root), purpose.label());
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(tag.as_ref());
    key
}

fn aead_key(root: &Root, purpose: Purpose) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, &*subkey(&root.digest, purpose)).ok()?;
    Some(LessSafeKey::new(key))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed;

    impl Random for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn keys(secrets: &[&str]) -> SystemKeys {
        let secrets: Vec<SecretString> = secrets.iter().map(|&text| text.into()).collect();
        SystemKeys::new(&secrets, &Fixed)
    }

    // Holds SE-02.
    #[test]
    fn a_new_secret_opens_what_the_old_one_sealed_and_a_wrong_one_does_not() {
        let sealed = keys(&["old"])
            .seal(Purpose::Keys, &Fixed, b"text", "set/kid")
            .unwrap();
        let opened = keys(&["new", "old"]).open(Purpose::Keys, &sealed, "set/kid");
        assert_eq!(opened.unwrap().as_slice(), b"text");
        assert!(
            keys(&["new"])
                .open(Purpose::Keys, &sealed, "set/kid")
                .is_none()
        );
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_context_and_for_its_purpose() {
        let keys = keys(&["secret"]);
        let sealed = keys
            .seal(Purpose::Pages, &Fixed, b"text", "owner=a")
            .unwrap();
        assert!(keys.open(Purpose::Pages, &sealed, "owner=b").is_none());
        assert!(keys.open(Purpose::Keys, &sealed, "owner=a").is_none());
        let mut bytes = base64url::decode(&sealed).unwrap();
        bytes[14] ^= 1;
        assert!(
            keys.open(Purpose::Pages, &base64url::encode(&bytes), "owner=a")
                .is_none()
        );
    }

    #[test]
    fn a_secret_is_found_by_its_name_and_verifies_its_own_macs_alone() {
        let old = keys(&["old"]);
        let mac = old.mac(Purpose::ClientSecrets, b"m").unwrap();
        let both = keys(&["new", "old"]);
        assert_eq!(both.place(old.newest().unwrap()), Some(1));
        assert_eq!(both.place(keys(&["other"]).newest().unwrap()), None);
        let verifies =
            |at, text: &[u8]| both.verifies(at, Purpose::ClientSecrets, text, mac.as_ref());
        assert!(verifies(1, b"m"));
        assert!(!verifies(0, b"m") && !verifies(2, b"m") && !verifies(1, b"n"));
        assert!(!both.verifies(1, Purpose::Pages, b"m", mac.as_ref()));
    }
}
