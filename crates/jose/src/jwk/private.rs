//! Keys to sign with.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsBigEndian, AsDer, Pkcs8V1Der},
    rand::{self, SystemRandom},
    rsa::{KeyPairComponents, KeySize, PublicKeyComponents},
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, PqdsaKeyPair, RsaKeyPair},
};
use secrecy::SecretString;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    Algorithm, Curve, Jwk, KeyError, RsaBits,
    algorithm::MlDsa,
    base64url, der, json,
    jwk::{
        Material,
        members::{self, Members},
        parsed::Parsed,
    },
};

/// A key pair, bound to one algorithm.
pub struct PrivateKey {
    public: Jwk,
    algorithm: Algorithm,
    pair: Pair,
}

/// The length of a seed of ML-DSA in bytes (FIPS 204).
pub(super) const SEED: usize = 32;

/// The name of a private member and its bytes.
type SecretMember = (&'static str, Zeroizing<Vec<u8>>);

pub(super) enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(MlDsaPair),
}

/// A key pair of ML-DSA, and the seed that it was made of: the one form in which it is kept
/// (RFC 9964, section 3).
pub(super) struct MlDsaPair {
    pair: PqdsaKeyPair,
    seed: Zeroizing<Vec<u8>>,
}

impl PrivateKey {
    /// Makes a key for signing. `bits` counts for RSA only.
    ///
    /// # Errors
    /// When the crypto library fails.
    pub fn generate(algorithm: Algorithm, bits: RsaBits, kid: &str) -> Result<Self, KeyError> {
        let pair = if let Some(curve) = algorithm.curve() {
            Pair::Ec(EcdsaKeyPair::generate(curve.signing()).map_err(crypto)?)
        } else if let Some(parameters) = algorithm.ml_dsa() {
            let mut seed = Zeroizing::new(vec![0; SEED]);
            rand::fill(&mut seed).map_err(crypto)?;
            Pair::MlDsa(MlDsaPair::of_seed(parameters, seed)?)
        } else if algorithm == Algorithm::EdDsa {
            Pair::Ed25519(Ed25519KeyPair::generate().map_err(crypto)?)
        } else {
            Pair::Rsa(RsaKeyPair::generate(key_size(bits)).map_err(crypto)?)
        };
        Self::new(pair, algorithm, kid, "sig")
    }

    /// Whether an object has the private part of a key, `d` or that of RFC 9964.
    #[must_use]
    pub fn is_in(object: &Map<String, Value>) -> bool {
        ["d", "priv"].iter().any(|name| object.contains_key(*name))
    }

    /// Reads a private key. It is bound to its `alg`, or to the usual one of its kind.
    ///
    /// # Errors
    /// When the text is no private key, or its members contradict each other.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        let mut object = json::parse_object(text).map_err(|e| KeyError::Json(e.to_string()))?;
        let key = Self::from_object(&object);
        for value in object.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
        key
    }

    /// Reads a private key out of a parsed object.
    ///
    /// # Errors
    /// As [`PrivateKey::from_json`].
    pub fn from_object(object: &Map<String, Value>) -> Result<Self, KeyError> {
        let public = Jwk::from_object(object)?;
        let members = Members(object);
        let (pair, usual) = match &public.material {
            Material::Rsa { n, e } => (Pair::Rsa(rsa_pair(n, e, &members)?), Algorithm::Rs256),
            Material::Ec { curve, x, y } => (
                Pair::Ec(ec_pair(*curve, &members::point(x, y), &members)?),
                curve.algorithm(),
            ),
            Material::Ed25519 { x } => {
                let seed = Zeroizing::new(members.fixed_bytes("d", 32)?);
                let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, x);
                (Pair::Ed25519(pair.map_err(rejected)?), Algorithm::EdDsa)
            }
            Material::Akp { algorithm, public } => {
                let seed = Zeroizing::new(members.fixed_bytes("priv", SEED)?);
                let parameters = algorithm.ml_dsa().ok_or(KeyError::Rejected)?;
                let pair = MlDsaPair::of_seed(parameters, seed)?;
                if pair.pair.public_key().as_ref() != public {
                    return Err(KeyError::Rejected);
                }
                (Pair::MlDsa(pair), *algorithm)
            }
        };
        Ok(Self {
            algorithm: public.algorithm().unwrap_or(usual),
            public,
            pair,
        })
    }

    pub(super) fn new(
        pair: Pair,
        algorithm: Algorithm,
        kid: &str,
        usage: &str,
    ) -> Result<Self, KeyError> {
        let public = Jwk {
            kid: kid.to_owned(),
            usage: Some(usage.to_owned()),
            is_for_signatures: true,
            algorithm: Some(algorithm),
            material: pair.material(algorithm)?,
            parsed: Parsed::default(),
        };
        Ok(Self {
            public,
            algorithm,
            pair,
        })
    }

    /// The same key for another use.
    #[must_use]
    pub fn with_usage(mut self, usage: &str) -> Self {
        self.public.usage = Some(usage.to_owned());
        self
    }

    /// The name of the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// The one algorithm the key signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public part.
    #[must_use]
    pub const fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    /// The whole key as JSON, for keeping it or for the administrator's eyes.
    ///
    /// # Errors
    /// When the crypto library does not give the private part away.
    pub fn to_private_json(&self) -> Result<SecretString, KeyError> {
        let mut object = self.public.to_object();
        for (name, bytes) in self.pair.private_members()? {
            object.insert(name.to_owned(), Value::String(base64url::encode(&*bytes)));
        }
        Ok(SecretString::from(Value::Object(object).to_string()))
    }

    /// Signs a message.
    ///
    /// # Errors
    /// When the crypto library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let (encoding, _) = self
                    .algorithm
                    .rsa()
                    .ok_or(KeyError::WrongAlgorithm(self.algorithm.name()))?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)
                    .map_err(crypto)?;
                Ok(signature)
            }
            Pair::Ec(pair) => Ok(pair
                .sign(&random, message)
                .map_err(crypto)?
                .as_ref()
                .to_vec()),
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(crypto)?.as_ref().to_vec()),
            Pair::MlDsa(MlDsaPair { pair, .. }) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature).map_err(crypto)?;
                signature.truncate(length);
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("kid", &self.public.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Pair {
    fn material(&self, algorithm: Algorithm) -> Result<Material, KeyError> {
        Ok(match self {
            Self::Rsa(pair) => {
                let pkcs8 = pkcs8(pair)?;
                let [n, e, ..] = der::rsa_numbers(pkcs8.as_ref()).ok_or(KeyError::Crypto)?;
                Material::Rsa {
                    n: n.to_vec(),
                    e: e.to_vec(),
                }
            }
            Self::Ec(pair) => {
                let curve = algorithm.curve().ok_or(KeyError::Rejected)?;
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(curve.coordinate_bytes());
                Material::Ec {
                    curve,
                    x: x.to_vec(),
                    y: y.to_vec(),
                }
            }
            Self::Ed25519(pair) => Material::Ed25519 {
                x: pair.public_key().as_ref().to_vec(),
            },
            Self::MlDsa(MlDsaPair { pair, .. }) => Material::Akp {
                algorithm,
                public: pair.public_key().as_ref().to_vec(),
            },
        })
    }

    /// The members that must stay secret, in the order of RFC 7518.
    fn private_members(&self) -> Result<Vec<SecretMember>, KeyError> {
        match self {
            Self::Rsa(pair) => {
                let pkcs8 = pkcs8(pair)?;
                let [n, _e, d, p, q, dp, dq, qi] =
                    der::rsa_numbers(pkcs8.as_ref()).ok_or(KeyError::Crypto)?;
                // RFC 7518 lets `d` be shorter than the modulus; some readers do not.
                let mut padded = Zeroizing::new(vec![0; n.len() - d.len()]);
                padded.extend_from_slice(d);
                let mut members = vec![("d", padded)];
                for (name, number) in [("p", p), ("q", q), ("dp", dp), ("dq", dq), ("qi", qi)] {
                    members.push((name, Zeroizing::new(number.to_vec())));
                }
                Ok(members)
            }
            Self::Ec(pair) => {
                let d = pair.private_key().as_be_bytes().map_err(crypto)?;
                Ok(vec![("d", Zeroizing::new(d.as_ref().to_vec()))])
            }
            Self::Ed25519(pair) => {
                let seed = pair.seed().map_err(crypto)?.as_be_bytes().map_err(crypto)?;
                Ok(vec![("d", Zeroizing::new(seed.as_ref().to_vec()))])
            }
            Self::MlDsa(MlDsaPair { seed, .. }) => Ok(vec![("priv", seed.clone())]),
        }
    }
}

impl MlDsaPair {
    pub(super) fn of_seed(parameters: &MlDsa, seed: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let pair = PqdsaKeyPair::from_seed(parameters.signing, &seed).map_err(rejected)?;
        Ok(Self { pair, seed })
    }
}

fn pkcs8(pair: &RsaKeyPair) -> Result<Pkcs8V1Der<'static>, KeyError> {
    AsDer::<Pkcs8V1Der<'static>>::as_der(pair).map_err(crypto)
}

const fn key_size(bits: RsaBits) -> KeySize {
    match bits {
        RsaBits::B2048 => KeySize::Rsa2048,
        RsaBits::B3072 => KeySize::Rsa3072,
        RsaBits::B4096 => KeySize::Rsa4096,
    }
}

fn rsa_pair(n: &[u8], e: &[u8], members: &Members<'_>) -> Result<RsaKeyPair, KeyError> {
    let private = |name| members.bytes(name);
    RsaKeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents {
            n: n.to_vec(),
            e: e.to_vec(),
        },
        d: private("d")?.to_vec(),
        p: private("p")?.to_vec(),
        q: private("q")?.to_vec(),
        dP: private("dp")?.to_vec(),
        dQ: private("dq")?.to_vec(),
        qInv: private("qi")?.to_vec(),
    })
    .map_err(rejected)
}

fn ec_pair(curve: Curve, point: &[u8], members: &Members<'_>) -> Result<EcdsaKeyPair, KeyError> {
    let d = Zeroizing::new(members.fixed_bytes("d", curve.coordinate_bytes())?);
    EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), &d, point).map_err(rejected)
}

fn crypto(_: aws_lc_rs::error::Unspecified) -> KeyError {
    KeyError::Crypto
}

pub(super) fn rejected(_: aws_lc_rs::error::KeyRejected) -> KeyError {
    KeyError::Rejected
}
