//! How the gateway shows that it is the client it says it is: by a secret, by a certificate, or by
//! a client assertion (RFC 7523): one that it signs itself, or one that others put into its hands.

use std::time::SystemTime;

use aws_lc_rs::{digest, hmac};
use carnet_config::routing::middleware::OAuthClientCredentials;
use carnet_config::routing::middleware::oauth_client_credentials as options;
use carnet_jose::{Jwk, KeyError, PrivateKey, base64url, jws};
use carnet_oauth::Random;
use carnet_oauth::client_auth::Credentials;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::token::seconds;
use crate::pem::certificates;

/// An assertion that the gateway signs lives so many seconds.
const LIFE: i64 = 60;

/// The registered kind of such assertions.
const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// More fields of a form.
type Fields = Vec<(String, SecretString)>;

/// What a client has besides its id.
pub(crate) enum Proof {
    /// A secret, shown in the header or in the form.
    Secret,
    /// A certificate, shown by the connection (RFC 8705 section 2.1).
    Certificate,
    /// An assertion that somebody else signed.
    Assertion(SecretString),
    /// A private key that signs assertions: `private_key_jwt`.
    Key(Box<Signer>),
    /// A secret that signs them: `client_secret_jwt`.
    SecretKey(String),
}

/// A key that signs assertions.
pub(crate) struct Signer {
    pub(super) key: PrivateKey,
    audience: String,
    /// Digest of the certificate that names it (RFC 7515, section 4.1.8); `None`: none does.
    x5t: Option<String>,
}

impl Proof {
    /// What the options say. The error is one sentence.
    pub(crate) fn of(middleware: &OAuthClientCredentials) -> Result<Self, String> {
        let audience = |own: &Option<String>| {
            let own = own.clone();
            own.unwrap_or_else(|| middleware.url.to_string())
        };
        Ok(match &middleware.proof {
            options::Proof::Secret => Self::Secret,
            options::Proof::Certificate => Self::Certificate,
            options::Proof::Assertion(token) => Self::Assertion(token.clone()),
            options::Proof::SecretJwt(own) => Self::SecretKey(audience(own)),
            options::Proof::KeyJwt(told, own) => {
                let key = signing_key(told)?;
                let certificate = told.certificate.as_deref();
                let x5t = certificate.map(|certificate| digest_of(certificate, &key));
                Self::Key(Box::new(Signer {
                    x5t: x5t.transpose()?,
                    audience: audience(own),
                    key,
                }))
            }
        })
    }

    /// The fields that show the client, new ones for each call: an assertion counts once. `None`:
    /// its secret does.
    pub(super) fn fields(
        &self,
        credentials: &Credentials,
        now: SystemTime,
        random: &dyn Random,
    ) -> Result<Option<Fields>, &'static str> {
        let assertion = match self {
            Self::Secret => return Ok(None),
            Self::Certificate => None,
            Self::Assertion(token) => Some(token.clone()),
            Self::Key(signer) => {
                let claims = claims(&credentials.id, &signer.audience, now, random);
                Some(signer.sign(&claims)?)
            }
            Self::SecretKey(audience) => {
                let claims = claims(&credentials.id, audience, now, random);
                Some(with_secret(&credentials.secret, &claims))
            }
        };
        let mut fields = vec![("client_id".to_owned(), credentials.id.clone().into())];
        if let Some(assertion) = assertion {
            fields.push(("client_assertion_type".to_owned(), KIND.into()));
            fields.push(("client_assertion".to_owned(), assertion));
        }
        Ok(Some(fields))
    }
}

impl Signer {
    fn sign(&self, claims: &str) -> Result<SecretString, &'static str> {
        let mut header = json!({"alg": self.key.algorithm().name(), "typ": "JWT"});
        if !self.key.kid().is_empty() {
            header["kid"] = json!(self.key.kid());
        }
        if let Some(digest) = &self.x5t {
            header["x5t#S256"] = json!(digest);
        }
        let signed = jws::sign_compact(&self.key, &header.to_string(), claims.as_bytes());
        let signed = signed.map_err(|_| "the client assertion cannot be signed")?;
        Ok(SecretString::from(signed))
    }
}

/// SHA-256 of a certificate in PEM, which must be the key's.
fn digest_of(certificate: &str, key: &PrivateKey) -> Result<String, String> {
    let own = key.public_jwk().thumbprint();
    let its = Jwk::from_pem(certificate.as_bytes()).map(|jwk| jwk.thumbprint());
    if its.ok() != Some(own) {
        return Err(
            "the certificate beside a key that signs assertions is not of that key".to_owned(),
        );
    }
    let certificates = certificates(certificate, "`certificate`")?;
    let first = certificates.first().map(AsRef::as_ref).unwrap_or_default();
    Ok(base64url::encode(digest::digest(&digest::SHA256, first)))
}

/// A key as a JWK, or as PEM. Messages never quote it.
fn signing_key(told: &options::SigningKey) -> Result<PrivateKey, String> {
    let text = told.key.expose_secret().as_bytes();
    let fits_not = |error| match error {
        KeyError::Json(_) => format!("`{}` is neither a private JWK nor PEM", told.option),
        error => format!("`{}` cannot be used: {error}", told.option),
    };
    if !told.key.expose_secret().contains("-----BEGIN ") {
        return PrivateKey::from_json(text).map_err(fits_not);
    }
    let algorithm = told.algorithm.map(str::parse).transpose();
    let algorithm = algorithm.map_err(fits_not)?;
    let kid = told.key_id.as_deref().unwrap_or_default();
    PrivateKey::from_pem(text, algorithm, kid).map_err(fits_not)
}

/// What an assertion says (RFC 7523 section 3).
fn claims(id: &str, audience: &str, now: SystemTime, random: &dyn Random) -> String {
    let mut jti = [0; 16];
    random.fill(&mut jti);
    let now = seconds(now);
    json!({
        "iss": id, "sub": id, "aud": audience, "jti": base64url::encode(jti),
        "iat": now, "exp": now.saturating_add(LIFE),
    })
    .to_string()
}

/// HS256 (RFC 7518 section 3.2).
fn with_secret(secret: &SecretString, claims: &str) -> SecretString {
    let header = base64url::encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", base64url::encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let tag = hmac::sign(&key, signed.as_bytes());
    SecretString::from(format!("{signed}.{}", base64url::encode(tag.as_ref())))
}
