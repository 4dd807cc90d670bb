//! The thumbprint of a key (RFC 7638): SHA-256 over its required members in alphabetical order.

use aws_lc_rs::digest;

use crate::{base64url, jwk::Material};

/// The thumbprint, in base64url.
pub(crate) fn of(material: &Material) -> String {
    let text = match material {
        Material::Rsa { n, e } => format!(
            r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
            base64url::encode(e),
            base64url::encode(n)
        ),
        Material::Ec { curve, x, y } => format!(
            r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
            curve.name(),
            base64url::encode(x),
            base64url::encode(y)
        ),
        // RFC 9964, section 6: of such a key the algorithm is one of its required members.
        Material::Akp { algorithm, public } => format!(
            r#"{{"alg":"{}","kty":"AKP","pub":"{}"}}"#,
            algorithm.name(),
            base64url::encode(public)
        ),
        Material::Ed25519 { x } => {
            format!(
                r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
                base64url::encode(x)
            )
        }
    };
    base64url::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}
