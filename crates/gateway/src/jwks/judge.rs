//! Whether a token is what it says it is: signature, issuer, audience and times.

use std::borrow::Cow;
use std::sync::Arc;

use carnet_jose::jws::Opened;
use carnet_jose::jwt::{self, Claims};
use carnet_jose::{Algorithm, Jwk, Registered, SharedSecret, TokenError};
use serde_json::Value;

use super::{Keys, Published};

/// What signatures are verified with.
pub(crate) enum Trusted {
    /// Keys that may change.
    Fetched(Keys),
    /// What is there.
    Fixed(Fixed),
}

/// What does not change.
pub(crate) enum Fixed {
    /// Keys.
    Set(Arc<Published>),
    /// One key, whatever it is called.
    Key(Box<Jwk>),
    /// A secret that the signer shares.
    Secret(Box<SharedSecret>),
}

/// What a token must say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// `None`: what the metadata says, or anything.
    pub(crate) issuer: Option<String>,
    /// One of them must be named. Empty: anything.
    pub(crate) audience: Vec<String>,
    /// Clocks may differ by so many seconds.
    pub(crate) leeway: i64,
    /// Whether a token must say when it ends.
    pub(crate) needs_end: bool,
    /// What it is for.
    pub(crate) kind: Kind,
}

/// What tokens are for, as far as their headers say so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To let somebody in.
    #[default]
    Access,
    /// To tell that somebody has logged out (OpenID Connect Back-Channel Logout 1.0, section 2.4).
    Logout,
}

/// A token that is right.
#[derive(Debug)]
pub(crate) struct Believed {
    /// Its claims as they came.
    pub(crate) payload: Vec<u8>,
    /// `exp`, in seconds since 1970.
    pub(crate) end: Option<i64>,
    /// `cnf`.
    pub(crate) confirmation: Option<Value>,
    pub(crate) strength: Strength,
    /// What its signature was made by; `None`: a secret.
    pub(crate) algorithm: Option<Algorithm>,
    /// The keys that it was verified with, where they may change.
    pub(crate) keys: Option<Arc<Published>>,
}

/// What a signature was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// An RSA key with a modulus of so many bits.
    Rsa(usize),
    /// A key of another kind, which has one size.
    Key(Algorithm),
    /// A secret.
    Secret,
}

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody can say: there are no keys.
    NoKeys,
    /// It is wrong; the sentence is for the log and holds nothing of it.
    Wrong(String),
}

/// Judges tokens.
pub(crate) struct Judge {
    trusted: Trusted,
    expected: Expected,
}

/// Whose signature a token has.
struct Signer {
    strength: Strength,
    algorithm: Option<Algorithm>,
    keys: Option<Arc<Published>>,
}

impl Judge {
    pub(crate) fn new(trusted: Trusted, expected: Expected) -> Self {
        Self { trusted, expected }
    }

    /// What a token says that is right at this moment, in seconds since 1970.
    pub(crate) async fn judge(&self, token: &str, now: i64) -> Result<Believed, Refusal> {
        let keys = match &self.trusted {
            Trusted::Fetched(keys) => keys,
            Trusted::Fixed(fixed) => return self.by_fixed(token, fixed, now),
        };
        let published = keys.current().await.ok_or(Refusal::NoKeys)?;
        let opened = Opened::read(token).map_err(refused)?;
        let mut outcome = by_set(&opened, &published);
        if matches!(outcome, Err(TokenError::NoKey)) {
            // It may be new.
            let newer = keys.newer_than(&published, opened.kid()).await;
            outcome = by_set(&opened, &newer);
        }
        self.believed(&opened, outcome.map_err(refused)?, now)
    }

    /// The same where nobody has to wait for keys; `None`: somebody has to.
    pub(crate) fn at_once(&self, token: &str, now: i64) -> Option<Result<Believed, Refusal>> {
        let keys = match &self.trusted {
            Trusted::Fetched(keys) => keys,
            Trusted::Fixed(fixed) => return Some(self.by_fixed(token, fixed, now)),
        };
        let published = keys.at_once()?;
        let opened = match Opened::read(token) {
            Ok(opened) => opened,
            Err(error) => return Some(Err(refused(error))),
        };
        match by_set(&opened, &published) {
            Err(TokenError::NoKey) if keys.may_be_newer(&published) => None,
            Err(error) => Some(Err(refused(error))),
            Ok(signer) => Some(self.believed(&opened, signer, now)),
        }
    }

    fn by_fixed(&self, token: &str, fixed: &Fixed, now: i64) -> Result<Believed, Refusal> {
        let opened = Opened::read(token).map_err(refused)?;
        let signer = fixed.signer(&opened).map_err(refused)?;
        self.believed(&opened, signer, now)
    }

    /// Whether what was believed would be verified with these keys now. Not where one has to wait for
    /// keys.
    pub(crate) fn trusts(&self, keys: Option<&Arc<Published>>) -> bool {
        match (&self.trusted, keys) {
            (Trusted::Fetched(own), Some(keys)) => own
                .at_once()
                .is_some_and(|current| Arc::ptr_eq(&current, keys)),
            _ => true,
        }
    }

    /// What a token comes to whose signature is right.
    fn believed(&self, opened: &Opened<'_>, signer: Signer, now: i64) -> Result<Believed, Refusal> {
        let wrong = |sentence: &str| Refusal::Wrong(sentence.to_owned());
        let kind = opened.kind().unwrap_or_default();
        self.expected.kind.look(kind).map_err(wrong)?;
        let payload = opened.payload().map_err(refused)?;
        let claims = Registered::read(&payload).map_err(refused)?;
        let issuer = signer.keys.as_ref().and_then(|keys| keys.issuer.as_deref());
        self.expected.look(&claims, issuer, now).map_err(wrong)?;
        Ok(Believed {
            end: claims.end,
            confirmation: claims.confirmation.map(Cow::into_owned),
            payload,
            strength: signer.strength,
            algorithm: signer.algorithm,
            keys: signer.keys,
        })
    }
}

impl Believed {
    /// All that the token says.
    pub(crate) fn claims(&self) -> Claims {
        jwt::claims(&self.payload).unwrap_or_default()
    }
}

impl Fixed {
    fn signer(&self, opened: &Opened<'_>) -> Result<Signer, TokenError> {
        match self {
            Self::Set(set) => by_set(opened, set),
            Self::Key(key) => Ok(Signer::of(opened.signed_by_key(key)?, None)),
            Self::Secret(secret) => {
                opened.signed_with(secret)?;
                Ok(Signer {
                    strength: Strength::Secret,
                    algorithm: None,
                    keys: None,
                })
            }
        }
    }
}

fn by_set(opened: &Opened<'_>, published: &Arc<Published>) -> Result<Signer, TokenError> {
    let signed = opened.signed_by(&published.keys)?;
    Ok(Signer::of(signed, Some(Arc::clone(published))))
}

impl Signer {
    fn of((algorithm, key): (Algorithm, &Jwk), keys: Option<Arc<Published>>) -> Self {
        Self {
            strength: match key.rsa_bytes() {
                Some(bytes) => Strength::Rsa(bytes * 8),
                None => Strength::Key(algorithm),
            },
            algorithm: Some(algorithm),
            keys,
        }
    }
}

impl Expected {
    /// Whether claims say what is expected, at this moment, in seconds since 1970. `issuer` is what
    /// metadata say.
    ///
    /// # Errors
    /// One sentence for the log.
    pub(crate) fn look(
        &self,
        claims: &Registered<'_>,
        issuer: Option<&str>,
        now: i64,
    ) -> Result<(), &'static str> {
        let wanted = self.issuer.as_deref().or(issuer);
        if wanted.is_some_and(|wanted| claims.issuer.as_deref() != Some(wanted)) {
            return Err("the token is of another issuer");
        }
        let is_ours = |said: &Cow<'_, str>| self.audience.iter().any(|ours| said == ours);
        if !self.audience.is_empty() && !claims.audience.iter().any(is_ours) {
            return Err("the token is for another audience");
        }
        match claims.end {
            None if self.needs_end => return Err("the token says no end"),
            Some(end) if end.saturating_add(self.leeway) <= now => {
                return Err("the token has ended");
            }
            _ => {}
        }
        let latest = now.saturating_add(self.leeway);
        let begin = claims.not_before.max(claims.issued_at);
        if begin.is_some_and(|begin| begin > latest) {
            return Err("the token has not begun");
        }
        Ok(())
    }
}

impl Kind {
    /// Tokens for something else that the same keys may sign, by what they say themselves: proofs (RFC
    /// 9449), assertions of clients (RFC 7523bis), logout tokens, answers of introspection (RFC 9701),
    /// requests (RFC 9101) and lists of statuses. Whatever has no such name may be an access token (RFC
    /// 8725, section 3.11); providers from before there was a name sign logout tokens without.
    fn look(self, name: &str) -> Result<(), &'static str> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix("application/").unwrap_or(&name);
        match self {
            Self::Access if name != "at+jwt" && name.ends_with("+jwt") => {
                Err("the token is of a kind that is no access token")
            }
            Self::Logout if !["", "jwt", "logout+jwt"].contains(&name) => {
                Err("the token is of a kind that is no logout token")
            }
            _ => Ok(()),
        }
    }
}

fn refused(error: TokenError) -> Refusal {
    Refusal::Wrong(format!("the token cannot be verified: {error}"))
}
