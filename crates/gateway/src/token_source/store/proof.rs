//! What besides its credentials makes the gateway the client it is: part of the name of each token
//! that is shared, as a token for one way to be a client is none for another.

use secrecy::ExposeSecret as _;

use crate::token_source::Proof;

/// As parts of a name. A certificate of the connection counts whatever the way is: tokens may be
/// bound to it (RFC 8705 section 3).
pub(crate) fn parts(proof: &Proof, certificate: Option<&str>) -> Vec<Vec<u8>> {
    let (way, of) = match proof {
        Proof::Secret => ("secret", String::new()),
        Proof::Certificate => ("certificate", String::new()),
        // Whoever shows another assertion may be somebody else.
        Proof::Assertion(token) => ("assertion", token.expose_secret().to_owned()),
        Proof::Key(signer) => ("key", signer.key.public_jwk().thumbprint()),
        Proof::SecretKey(_) => ("secret key", String::new()),
    };
    let certificate = certificate.unwrap_or_default();
    [way, &of, certificate]
        .map(|part| part.as_bytes().to_vec())
        .to_vec()
}
