//! By what a token is bound to whoever may show it: the claim `cnf` (RFC 7800), of a certificate
//! (RFC 8705, section 3.1) or of a key (RFC 9449, section 6).

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::base64url;
use serde::{Deserialize, Serialize};

/// What whoever shows a token must have; nothing of a bearer token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// `jkt`: the thumbprint of a key (RFC 7638).
    #[serde(rename = "jkt", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `x5t#S256`: the SHA-256 of a certificate, in base64url.
    #[serde(rename = "x5t#S256", default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl Confirmation {
    /// Whether anybody may show the token.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.key.is_none() && self.certificate.is_none()
    }

    /// Whether whoever has this much may show the token. Having more does no harm.
    #[must_use]
    pub fn is_met_by(&self, shown: &Self) -> bool {
        let is_met =
            |wanted: &Option<String>, shown: &Option<String>| wanted.is_none() || wanted == shown;
        is_met(&self.key, &shown.key) && is_met(&self.certificate, &shown.certificate)
    }
}

/// The SHA-256 of a certificate (DER), in base64url: `x5t#S256`.
#[must_use]
pub fn of_certificate(der: &[u8]) -> String {
    base64url::encode(digest(&SHA256, der))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn of(key: Option<&str>, certificate: Option<&str>) -> Confirmation {
        Confirmation {
            key: key.map(str::to_owned),
            certificate: certificate.map(str::to_owned),
        }
    }

    #[test]
    fn whoever_shows_a_token_has_all_that_it_is_bound_to() {
        let (a, b) = (Some("a"), Some("b"));
        for (wanted, shown, expected) in [
            (of(None, None), of(None, None), true),
            (of(None, None), of(a, b), true),
            (of(a, None), of(a, None), true),
            (of(a, None), of(a, b), true),
            (of(a, None), of(b, None), false),
            (of(a, None), of(None, a), false),
            (of(a, b), of(a, None), false),
            (of(a, b), of(a, b), true),
        ] {
            assert_eq!(wanted.is_met_by(&shown), expected, "{wanted:?} {shown:?}");
        }
    }

    #[test]
    fn the_claim_has_the_names_of_the_standards() {
        let text = serde_json::to_string(&of(Some("k"), Some("c"))).unwrap();
        assert_eq!(text, r#"{"jkt":"k","x5t#S256":"c"}"#);
        assert_eq!(
            serde_json::from_str::<Confirmation>("{}").unwrap(),
            of(None, None)
        );
    }
}
