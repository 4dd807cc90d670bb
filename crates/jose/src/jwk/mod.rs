//! Keys in JSON (RFC 7517): public ones to verify with ([`Jwk`], [`JwkSet`]) and private ones to
//! sign with ([`PrivateKey`]); and as other tools keep them ([`encoded`]).

pub mod encoded;
mod members;
mod parsed;
mod point;
mod private;
mod set;

pub use private::PrivateKey;
pub use set::JwkSet;

use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RsaPublicKeyComponents};
use serde_json::{Map, Value};

use crate::{
    Algorithm, Curve, KeyError, RsaBits, base64url, der, json, jwk::members::Members,
    jwk::parsed::Parsed, thumbprint,
};

/// Longer exponents serve nobody but who wants to keep the verifier busy.
const MAX_EXPONENT_BYTES: usize = 5;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    kid: String,
    usage: Option<String>,
    /// `false` when its `key_ops` are others than to sign and to verify.
    is_for_signatures: bool,
    algorithm: Option<Algorithm>,
    material: Material,
    parsed: Parsed,
}

/// The numbers of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// Modulus and exponent, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point, its coordinates at full length.
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    /// A compressed point of Ed25519.
    Ed25519 { x: Vec<u8> },
    /// A key of one algorithm alone, ML-DSA (RFC 9964).
    Akp {
        algorithm: Algorithm,
        public: Vec<u8>,
    },
}

impl Jwk {
    /// Reads a public key; members of a private key are ignored.
    ///
    /// # Errors
    /// When the text is no JSON object, or names a key that is weak, malformed or not supported.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        let object = json::parse_object(text).map_err(|e| KeyError::Json(e.to_string()))?;
        Self::from_object(&object)
    }

    /// Reads a public key out of a parsed object.
    ///
    /// # Errors
    /// As [`Jwk::from_json`].
    pub fn from_object(object: &Map<String, Value>) -> Result<Self, KeyError> {
        let members = Members(object);
        let material = match members.required("kty")? {
            "RSA" => rsa_material(&members)?,
            "EC" => ec_material(&members)?,
            "OKP" => okp_material(&members)?,
            "AKP" => akp_material(&members)?,
            other => return Err(KeyError::Unsupported(other.to_owned())),
        };
        let algorithm = members.text("alg")?.map(str::parse).transpose()?;
        let key = Self {
            kid: members.text("kid")?.unwrap_or_default().to_owned(),
            usage: members.text("use")?.map(str::to_owned),
            is_for_signatures: is_for_signatures(&members)?,
            algorithm,
            material,
            parsed: Parsed::default(),
        };
        match algorithm {
            Some(algorithm) if !key.fits(algorithm) => {
                Err(KeyError::WrongAlgorithm(algorithm.name()))
            }
            _ => Ok(key),
        }
    }

    /// The name of the key; empty when it has none.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the key is for; `sig` when nothing else is said.
    #[must_use]
    pub fn usage(&self) -> &str {
        self.usage.as_deref().unwrap_or("sig")
    }

    /// The same key, for signatures whatever it says to be for: some name that in words of their own,
    /// such as the `jwt-svid` of SPIFFE.
    #[must_use]
    pub fn for_signatures(mut self) -> Self {
        self.usage = None;
        self
    }

    /// The algorithm that the key is bound to.
    #[must_use]
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The length of an RSA modulus, in bytes.
    #[must_use]
    pub const fn rsa_bytes(&self) -> Option<usize> {
        match &self.material {
            Material::Rsa { n, .. } => Some(n.len()),
            Material::Ec { .. } | Material::Ed25519 { .. } | Material::Akp { .. } => None,
        }
    }

    /// The size of an RSA key, when it is one of those that are made here.
    #[must_use]
    pub const fn rsa_bits(&self) -> Option<RsaBits> {
        match self.rsa_bytes() {
            Some(256) => Some(RsaBits::B2048),
            Some(384) => Some(RsaBits::B3072),
            Some(512) => Some(RsaBits::B4096),
            _ => None,
        }
    }

    /// The thumbprint of RFC 7638.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        thumbprint::of(&self.material)
    }

    /// Whether the key may verify a signature of this algorithm.
    #[must_use]
    pub fn accepts(&self, algorithm: Algorithm) -> bool {
        self.usage() == "sig"
            && self.is_for_signatures
            && self.algorithm.is_none_or(|bound| bound == algorithm)
            && self.fits(algorithm)
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        match &self.material {
            Material::Rsa { .. } => algorithm.rsa().is_some(),
            Material::Ec { curve, .. } => algorithm.curve() == Some(*curve),
            Material::Ed25519 { .. } => algorithm == Algorithm::EdDsa,
            Material::Akp { algorithm: own, .. } => algorithm == *own,
        }
    }

    /// Whether the signature is this key's over the message.
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.accepts(algorithm) {
            return false;
        }
        let read = || self.read(algorithm);
        self.parsed.verifies(algorithm, read, (message, signature))
    }

    fn read(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        let read = match &self.material {
            Material::Rsa { n, e } => {
                let (_, parameters) = algorithm.rsa()?;
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters)
            }
            Material::Ec { curve, x, y } => {
                ParsedPublicKey::new(curve.verification(), members::point(x, y))
            }
            Material::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x),
            Material::Akp { public, .. } => {
                ParsedPublicKey::new(algorithm.ml_dsa()?.verification, public)
            }
        };
        read.ok()
    }

    /// The key as JSON, its members in the order Hydra's clients know.
    #[must_use]
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: &str| {
            object.insert(name.to_owned(), Value::String(value.to_owned()));
        };
        if let Some(usage) = &self.usage {
            put("use", usage);
        }
        put("kty", self.material.kty());
        if !self.kid.is_empty() {
            put("kid", &self.kid);
        }
        if let Some(curve) = self.material.curve() {
            put("crv", curve);
        }
        if let Some(algorithm) = self.algorithm {
            put("alg", algorithm.name());
        }
        match &self.material {
            Material::Rsa { n, e } => {
                put("n", &base64url::encode(n));
                put("e", &base64url::encode(e));
            }
            Material::Ec { x, y, .. } => {
                put("x", &base64url::encode(x));
                put("y", &base64url::encode(y));
            }
            Material::Ed25519 { x } => put("x", &base64url::encode(x)),
            Material::Akp { public, .. } => put("pub", &base64url::encode(public)),
        }
        object
    }
}

impl Material {
    const fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Ed25519 { .. } => "OKP",
            Self::Akp { .. } => "AKP",
        }
    }

    const fn curve(&self) -> Option<&'static str> {
        match self {
            Self::Rsa { .. } | Self::Akp { .. } => None,
            Self::Ec { curve, .. } => Some(curve.name()),
            Self::Ed25519 { .. } => Some("Ed25519"),
        }
    }
}

/// What `key_ops` say; nothing when they are absent. None of them comes twice (RFC 7517, section
/// 4.3).
fn is_for_signatures(members: &Members<'_>) -> Result<bool, KeyError> {
    let Some(operations) = members.texts("key_ops")? else {
        return Ok(true);
    };
    let mut once = operations.clone();
    once.sort_unstable();
    once.dedup();
    if once.len() != operations.len() {
        return Err(KeyError::Member("key_ops"));
    }
    Ok(operations.contains(&"sign") || operations.contains(&"verify"))
}

/// RFC 7518 wants at least 2048 bits; the library takes at most 8192. The exponent is odd, and not
/// one: every message would be its own signature.
fn rsa_material(members: &Members<'_>) -> Result<Material, KeyError> {
    let n = members.bytes("n")?;
    let e = members.bytes("e")?;
    let (n, e) = (
        der::without_leading_zeros(&n).to_vec(),
        der::without_leading_zeros(&e).to_vec(),
    );
    let is_long = (256..=1024).contains(&n.len()) && (n[0] >= 0x80 || n.len() > 256);
    let is_odd = e.last().is_some_and(|byte| byte & 1 == 1);
    if !is_long || !is_odd || e == [1] || e.len() > MAX_EXPONENT_BYTES {
        return Err(KeyError::Rejected);
    }
    Ok(Material::Rsa { n, e })
}

fn ec_material(members: &Members<'_>) -> Result<Material, KeyError> {
    let name = members.required("crv")?;
    let curve = Curve::from_name(name).ok_or_else(|| KeyError::Unsupported(name.to_owned()))?;
    let length = curve.coordinate_bytes();
    let (x, y) = (
        members.fixed_bytes("x", length)?,
        members.fixed_bytes("y", length)?,
    );
    if !point::is_on(curve, &x, &y) {
        return Err(KeyError::Rejected);
    }
    Ok(Material::Ec { curve, x, y })
}

fn okp_material(members: &Members<'_>) -> Result<Material, KeyError> {
    match members.required("crv")? {
        "Ed25519" => {
            let x = members.fixed_bytes("x", 32)?;
            if point::is_of_low_order(&x) {
                return Err(KeyError::Rejected);
            }
            Ok(Material::Ed25519 { x })
        }
        other => Err(KeyError::Unsupported(other.to_owned())),
    }
}

/// Such a key says its algorithm, and nothing else says which it is (RFC 9964, section 3).
fn akp_material(members: &Members<'_>) -> Result<Material, KeyError> {
    let name = members.required("alg")?;
    let algorithm: Algorithm = name.parse()?;
    let parameters = algorithm
        .ml_dsa()
        .ok_or(KeyError::WrongAlgorithm(algorithm.name()))?;
    let public = members.fixed_bytes("pub", parameters.public_bytes)?;
    Ok(Material::Akp { algorithm, public })
}
