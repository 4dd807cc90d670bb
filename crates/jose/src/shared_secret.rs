//! Secrets that signers and verifiers share: HS256, HS384 and HS512 (RFC 7518, section 3.2). Such a
//! secret is no [`Jwk`](crate::Jwk) and stands in no set of them: whoever verifies with keys cannot be
//! talked into taking one for a secret.

use std::fmt;

use aws_lc_rs::hmac;

/// A secret to verify with.
pub struct SharedSecret([(&'static str, hmac::Key); 3]);

impl SharedSecret {
    /// The standard wants as many bytes as the hash has: 32 for HS256, and up to 64.
    pub const ADVISED_BYTES: usize = 32;

    /// The secret of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self([
            ("HS256", hmac::Key::new(hmac::HMAC_SHA256, bytes)),
            ("HS384", hmac::Key::new(hmac::HMAC_SHA384, bytes)),
            ("HS512", hmac::Key::new(hmac::HMAC_SHA512, bytes)),
        ])
    }

    /// Whether the signature is this secret's over the message, compared in constant time; `None`
    /// for an algorithm that signs with no secret.
    #[must_use]
    pub fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> Option<bool> {
        let mut known = self.0.iter();
        let (_, key) = known.find(|(name, _)| *name == algorithm)?;
        Some(hmac::verify(key, message, signature).is_ok())
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret([REDACTED])")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use crate::jws::Opened;
    use crate::{TokenError, base64url};

    fn verified(compact: &str, secret: &SharedSecret) -> Result<(), TokenError> {
        Opened::read(compact)?.signed_with(secret)
    }

    /// RFC 7515, appendix A.1.
    const COMPACT: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOj\
                           EzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjf\
                           tJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTw\
                       jAzZr1Z9CAow";

    #[test]
    fn the_example_of_the_standard_verifies_and_no_other_secret_does() {
        let secret = SharedSecret::new(&base64url::decode(KEY).unwrap());
        assert_eq!(verified(COMPACT, &secret), Ok(()));
        let payload = Opened::read(COMPACT).unwrap().payload().unwrap();
        assert!(payload.starts_with(b"{\"iss\":\"joe\""));
        let other = SharedSecret::new(b"other");
        let outcome = verified(COMPACT, &other);
        assert_eq!(outcome, Err(TokenError::Signature));
        assert!(!format!("{secret:?}").contains('3'));
    }

    // Holds JW-01.
    #[test]
    fn a_secret_verifies_nothing_of_another_algorithm() {
        let secret = SharedSecret::new(b"secret");
        for algorithm in ["RS256", "none", "None", "hs256", "HS1", "", "ES256"] {
            let header = base64url::encode(format!("{{\"alg\":\"{algorithm}\"}}"));
            for signature in ["", "c2ln"] {
                let compact = format!("{header}.e30.{signature}");
                let outcome = verified(&compact, &secret);
                assert_eq!(outcome, Err(TokenError::Algorithm), "{algorithm}");
            }
        }
        let compact = format!("{}.e30.", base64url::encode("{}"));
        let outcome = verified(&compact, &secret);
        assert_eq!(outcome, Err(TokenError::Algorithm));
    }
}
