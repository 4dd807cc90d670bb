//! Whether a token is what it says it is: signature, issuer, audience and times.

use std::sync::Arc;

use carnet_jose::jwt::{self, Claims};
use carnet_jose::{Algorithm, Jwk, SharedSecret, TokenError, jws};
use serde_json::{Map, Value};

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
    pub(crate) claims: Claims,
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

/// A signature that is right, and whose name the keys' server has.
struct Signed {
    payload: Vec<u8>,
    header: Map<String, Value>,
    strength: Strength,
    algorithm: Option<Algorithm>,
    keys: Option<Arc<Published>>,
}

impl Judge {
    pub(crate) fn new(trusted: Trusted, expected: Expected) -> Self {
        Self { trusted, expected }
    }

    /// The claims of a token that is right at this moment, in seconds since 1970.
    pub(crate) async fn judge(&self, token: &str, now: i64) -> Result<Believed, Refusal> {
        let signed = match &self.trusted {
            Trusted::Fetched(keys) => by_fetched(token, keys).await?,
            Trusted::Fixed(fixed) => fixed.signed(token).map_err(refused)?,
        };
        self.believed(signed, now)
    }

    /// The same where nobody has to wait for keys; `None`: somebody has to.
    pub(crate) fn at_once(&self, token: &str, now: i64) -> Option<Result<Believed, Refusal>> {
        let signed = match &self.trusted {
            Trusted::Fixed(fixed) => fixed.signed(token),
            Trusted::Fetched(keys) => {
                let published = keys.at_once()?;
                match by_set(token, &published) {
                    Err(TokenError::NoKey) if keys.may_be_newer(&published) => return None,
                    outcome => outcome,
                }
            }
        };
        let believed = |signed| self.believed(signed, now);
        Some(signed.map_err(refused).and_then(believed))
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
    fn believed(&self, signed: Signed, now: i64) -> Result<Believed, Refusal> {
        let wrong = |sentence: &str| Refusal::Wrong(sentence.to_owned());
        self.expected.kind.look(&signed.header).map_err(wrong)?;
        let claims = jwt::claims(&signed.payload).map_err(refused)?;
        let issuer = signed.keys.as_ref().and_then(|keys| keys.issuer.as_deref());
        self.expected.look(&claims, issuer, now).map_err(wrong)?;
        Ok(Believed {
            claims,
            strength: signed.strength,
            algorithm: signed.algorithm,
            keys: signed.keys,
        })
    }
}

impl Fixed {
    fn signed(&self, token: &str) -> Result<Signed, TokenError> {
        match self {
            Self::Set(set) => by_set(token, set),
            Self::Key(key) => jws::verify_by(token, key).map(|verified| Signed::of(verified, None)),
            Self::Secret(secret) => {
                let decoded = jws::verify_shared(token, secret)?;
                Ok(Signed {
                    payload: decoded.payload,
                    header: decoded.header,
                    strength: Strength::Secret,
                    algorithm: None,
                    keys: None,
                })
            }
        }
    }
}

/// Keys that are not known are looked for once more: they may be new.
async fn by_fetched(token: &str, keys: &Keys) -> Result<Signed, Refusal> {
    let published = keys.current().await.ok_or(Refusal::NoKeys)?;
    match by_set(token, &published) {
        Err(TokenError::NoKey) => {
            let kid = kid(token);
            let newer = keys.newer_than(&published, kid.as_deref()).await;
            by_set(token, &newer).map_err(refused)
        }
        outcome => outcome.map_err(refused),
    }
}

fn by_set(token: &str, published: &Arc<Published>) -> Result<Signed, TokenError> {
    let verified = jws::verify(token, &published.keys)?;
    Ok(Signed::of(verified, Some(Arc::clone(published))))
}

impl Signed {
    fn of(verified: jws::Verified, keys: Option<Arc<Published>>) -> Self {
        Self {
            strength: match verified.rsa_bytes {
                Some(bytes) => Strength::Rsa(bytes * 8),
                None => Strength::Key(verified.algorithm),
            },
            algorithm: Some(verified.algorithm),
            payload: verified.payload,
            header: verified.header,
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
        claims: &Claims,
        issuer: Option<&str>,
        now: i64,
    ) -> Result<(), &'static str> {
        let wanted = self.issuer.as_deref().or(issuer);
        let said = claims.get("iss").and_then(Value::as_str);
        if wanted.is_some_and(|wanted| said != Some(wanted)) {
            return Err("the token is of another issuer");
        }
        if !self.audience.is_empty() && !is_for(claims.get("aud"), &self.audience) {
            return Err("the token is for another audience");
        }
        let time = |name| jwt::time(claims, name);
        match time("exp") {
            None if self.needs_end => return Err("the token says no end"),
            Some(end) if end.saturating_add(self.leeway) <= now => {
                return Err("the token has ended");
            }
            _ => {}
        }
        let latest = now.saturating_add(self.leeway);
        if ["nbf", "iat"]
            .into_iter()
            .filter_map(time)
            .any(|begin| begin > latest)
        {
            return Err("the token has not begun");
        }
        Ok(())
    }
}

fn is_for(aud: Option<&Value>, audience: &[String]) -> bool {
    let is_ours = |one: &Value| {
        let one = one.as_str();
        audience.iter().any(|ours| one == Some(ours))
    };
    match aud {
        Some(Value::Array(all)) => all.iter().any(is_ours),
        Some(one) => is_ours(one),
        None => false,
    }
}

impl Kind {
    /// Tokens for something else that the same keys may sign, by what they say themselves: proofs (RFC
    /// 9449), assertions of clients (RFC 7523bis), logout tokens, answers of introspection (RFC 9701),
    /// requests (RFC 9101) and lists of statuses. Whatever has no such name may be an access token (RFC
    /// 8725, section 3.11); providers from before there was a name sign logout tokens without.
    fn look(self, header: &Map<String, Value>) -> Result<(), &'static str> {
        let name = header
            .get("typ")
            .and_then(Value::as_str)
            .unwrap_or_default();
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

fn kid(token: &str) -> Option<String> {
    let decoded = jws::decode_unverified(token).ok()?;
    decoded.header.get("kid")?.as_str().map(str::to_owned)
}

fn refused(error: TokenError) -> Refusal {
    Refusal::Wrong(format!("the token cannot be verified: {error}"))
}
