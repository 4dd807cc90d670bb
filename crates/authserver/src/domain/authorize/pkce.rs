//! Proof keys for codes (RFC 7636): who shows the code must have asked for it.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use carnet_jose::base64url;
use carnet_oauth::{Error, ErrorCode, authorization_request::AuthorizationRequest, client::Client};

use crate::options::People;

/// The one method there is: the challenge is a digest. With `plain` it would be the verifier, which
/// whoever reads the request has then.
pub(crate) const S256: &str = "S256";

/// Whether a request has the challenge that it needs.
///
/// # Errors
/// `invalid_request` when it has none, or another method.
pub(super) fn check(
    settings: &People,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<(), Error> {
    let refused = |text: &str| Err(Error::new(ErrorCode::InvalidRequest, text));
    let must = settings.pkce_enforced || settings.pkce_enforced_for_public && client.is_public();
    match (
        &request.code_challenge,
        request.code_challenge_method.as_deref(),
    ) {
        (None, None) if must => refused("Parameter 'code_challenge' is missing (RFC 7636)."),
        (None, None) => Ok(()),
        (Some(challenge), Some(S256)) if is_well_formed(challenge) => Ok(()),
        (Some(_), Some(S256)) => refused("Parameter 'code_challenge' is no SHA-256 in base64url."),
        _ => refused("Parameter 'code_challenge_method' must be S256, beside a 'code_challenge'."),
    }
}

/// Whether a text can be a challenge or a verifier: 43 to 128 unreserved characters (sections 4.1
/// and 4.2).
pub(in crate::domain) fn is_well_formed(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// The challenge of a verifier by method `S256`.
fn challenge(verifier: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Whether a verifier is the one of a challenge by method `S256`.
pub(in crate::domain) fn verifies(challenge_of_code: &str, verifier: &str) -> bool {
    let made = challenge(verifier);
    verify_slices_are_equal(made.as_bytes(), challenge_of_code.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_of_the_rfc_fits_and_no_other() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let made = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge(verifier), made);
        assert!(verifies(made, verifier));
        assert!(!verifies(made, &format!("{verifier}x")) && !verifies("", verifier));
    }

    #[test]
    fn a_verifier_is_long_enough_and_of_unreserved_characters() {
        for (text, expected) in [
            ("a".repeat(43), true),
            ("-._~".repeat(32), true),
            ("a".repeat(42), false),
            ("a".repeat(129), false),
            ("a b".repeat(20), false),
            ("\u{e9}".repeat(43), false),
        ] {
            assert_eq!(is_well_formed(&text), expected, "{text}");
        }
    }
}
