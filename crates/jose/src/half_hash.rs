//! What an ID token says of what came with it (OpenID Connect Core, section 3.1.3.6).

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};

use crate::{Algorithm, base64url};

/// The left half of a text's digest, by the hash of the signature's algorithm. Ed25519 has SHA-512 in
/// it (RFC 8032); no document says what is halved beside ML-DSA, and the widest is.
#[must_use]
pub fn half_hash(algorithm: Algorithm, text: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &SHA256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &SHA384,
        Algorithm::Rs512
        | Algorithm::Ps512
        | Algorithm::Es512
        | Algorithm::EdDsa
        | Algorithm::MlDsa44
        | Algorithm::MlDsa65 => &SHA512,
    };
    let digest = digest::digest(hash, text.as_bytes());
    let bytes = digest.as_ref();
    base64url::encode(bytes.get(..bytes.len() / 2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_access_token_is_that_of_the_standard() {
        // OpenID Connect Core, appendix A.3.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(Algorithm::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(half_hash(Algorithm::Es384, token).len(), 32);
        assert_eq!(half_hash(Algorithm::EdDsa, token).len(), 43);
    }
}
