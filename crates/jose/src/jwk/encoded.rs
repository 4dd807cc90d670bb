//! Keys as other tools keep them: DER, and PEM around it. Such a key does not say what it is for, nor
//! how it is called: whoever brings it does ([`Binding`]).

use std::slice;

use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, PqdsaKeyPair, RsaKeyPair};
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{
    Algorithm, Curve, Jwk, KeyError, PrivateKey, base64url, der,
    jwk::private::{MlDsaPair, Pair, rejected},
};

/// What a key is to be.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Its one algorithm.
    pub algorithm: Algorithm,
    /// Its name.
    pub kid: &'a str,
    /// What it is for: `sig` or `enc`.
    pub usage: &'a str,
}

/// The content of the first key or certificate of a PEM text (RFC 7468); `None` when there is none,
/// or only one that a password protects.
#[must_use]
pub fn from_pem(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(text);
    sections.find_map(|section| {
        let (kind, der) = section.ok()?;
        let der = Zeroizing::new(der);
        let is_key = matches!(
            kind,
            SectionKind::PrivateKey
                | SectionKind::RsaPrivateKey
                | SectionKind::EcPrivateKey
                | SectionKind::PublicKey
                | SectionKind::Certificate
        );
        is_key.then_some(der)
    })
}

/// What a key without a word about it signs with, by its kind.
const USUAL: [Algorithm; 7] = [
    Algorithm::Rs256,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::EdDsa,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
];

impl PrivateKey {
    /// Reads a private key out of a PEM text. Without an algorithm it is bound to the usual one of
    /// its kind: RS256 for RSA, the one of its curve for all others.
    ///
    /// # Errors
    /// When there is none, or none for this algorithm, or a weak one.
    pub fn from_pem(
        text: &[u8],
        algorithm: Option<Algorithm>,
        kid: &str,
    ) -> Result<Self, KeyError> {
        let der = from_pem(text).ok_or(KeyError::Rejected)?;
        let candidates = algorithm.as_ref().map_or(&USUAL[..], slice::from_ref);
        let bindings = candidates.iter().map(|&algorithm| Binding {
            algorithm,
            kid,
            usage: "sig",
        });
        let mut read = bindings.filter_map(|binding| Self::from_der(&der, binding).ok());
        read.next().ok_or(KeyError::Rejected)
    }

    /// Reads a private key: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017) or SEC 1 (RFC 5915).
    ///
    /// # Errors
    /// When it is none for this algorithm, or too weak.
    pub fn from_der(der: &[u8], binding: Binding<'_>) -> Result<Self, KeyError> {
        let algorithm = binding.algorithm;
        let pair = if let Some(curve) = algorithm.curve() {
            Pair::Ec(EcdsaKeyPair::from_private_key_der(curve.signing(), der).map_err(rejected)?)
        } else if let Some(parameters) = algorithm.ml_dsa() {
            // Of a key without its seed there is no JWK.
            let pair = PqdsaKeyPair::from_pkcs8(parameters.signing, der).map_err(rejected)?;
            let kept = pair.to_pkcs8v1().map_err(|_| KeyError::Rejected)?;
            let seed = der::ml_dsa_seed(kept.as_ref()).ok_or(KeyError::Rejected)?;
            let seed = Zeroizing::new(seed.to_vec());
            Pair::MlDsa(MlDsaPair::of_seed(parameters, seed)?)
        } else if algorithm == Algorithm::EdDsa {
            Pair::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(rejected)?)
        } else {
            let pair = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
            Pair::Rsa(pair.map_err(rejected)?)
        };
        Self::new(pair, algorithm, binding.kid, binding.usage)
    }
}

impl Jwk {
    /// Reads a public key out of a PEM text, alone or in a certificate. It is bound to no algorithm:
    /// it verifies all of its kind.
    ///
    /// # Errors
    /// When there is none, or a weak one.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let der = from_pem(text).ok_or(KeyError::Rejected)?;
        let spki = public_key(&der).ok_or(KeyError::Rejected)?;
        let mut read = USUAL.iter().filter_map(|usual| material(&spki, *usual));
        let members = read.next().ok_or(KeyError::Rejected)?;
        Self::from_object(&object(members))
    }

    /// Reads a public key: a `SubjectPublicKeyInfo` (RFC 5280), alone or in a certificate. The
    /// certificate itself is not judged.
    ///
    /// # Errors
    /// When it is none for this algorithm, or too weak.
    pub fn from_der(der: &[u8], binding: Binding<'_>) -> Result<Self, KeyError> {
        let spki = public_key(der).ok_or(KeyError::Rejected)?;
        let members = material(&spki, binding.algorithm).ok_or(KeyError::Rejected)?;
        let named = [
            ("alg", binding.algorithm.name()),
            ("kid", binding.kid),
            ("use", binding.usage),
        ];
        let mut object = object(members);
        for (name, text) in named {
            object.insert(name.to_owned(), Value::String(text.to_owned()));
        }
        Self::from_object(&object)
    }
}

fn public_key(der: &[u8]) -> Option<der::PublicKey<'_>> {
    der::public_key(der).or_else(|| der::public_key(der::certified(der)?))
}

fn object(members: Vec<(&str, String)>) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Value::String(text)))
        .collect()
}

/// The members of a key that say its numbers, when it is one for the algorithm.
fn material(
    spki: &der::PublicKey<'_>,
    algorithm: Algorithm,
) -> Option<Vec<(&'static str, String)>> {
    let text = |text: &str| text.to_owned();
    if let Some(parameters) = algorithm.ml_dsa() {
        (spki.algorithm == parameters.oid).then_some(())?;
        return Some(vec![
            ("kty", text("AKP")),
            ("pub", base64url::encode(spki.key)),
        ]);
    }
    match algorithm.curve() {
        Some(curve) => {
            let is_of_curve = spki.algorithm == der::EC && spki.parameters == oid(curve);
            let (x, y) = spki
                .key
                .strip_prefix(&[0x04])
                .filter(|point| is_of_curve && point.len() == 2 * curve.coordinate_bytes())?
                .split_at(curve.coordinate_bytes());
            Some(vec![
                ("kty", text("EC")),
                ("crv", text(curve.name())),
                ("x", base64url::encode(x)),
                ("y", base64url::encode(y)),
            ])
        }
        None if algorithm == Algorithm::EdDsa => {
            (spki.algorithm == der::ED25519).then_some(())?;
            Some(vec![
                ("kty", text("OKP")),
                ("crv", text("Ed25519")),
                ("x", base64url::encode(spki.key)),
            ])
        }
        None => {
            (spki.algorithm == der::RSA).then_some(())?;
            let [n, e] = der::rsa_public_numbers(spki.key)?;
            Some(vec![
                ("kty", text("RSA")),
                ("n", base64url::encode(n)),
                ("e", base64url::encode(e)),
            ])
        }
    }
}

/// The whole element that names a curve (RFC 5480, section 2.1.1.1).
const fn oid(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        Curve::P384 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
        Curve::P521 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
    }
}
