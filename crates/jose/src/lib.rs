//! Signatures and keys (JWS, JWK, JWT of RFC 7515 to 7519): bytes in, claims out.
//!
//! Knows no HTTP, no clock and no word of OAuth. A thin core over one crypto library; it is strict
//! in what it reads ([`base64url`], [`json`]) and lets the key, never the token, choose the
//! algorithm ([`jws::verify`]).

pub mod algorithm;
pub mod base64url;
mod der;
pub mod error;
mod half_hash;
mod header;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod jwt;
mod registered;
mod shared_secret;
mod thumbprint;

pub use algorithm::{Algorithm, Curve, RsaBits};
pub use error::{KeyError, TokenError};
pub use half_hash::half_hash;
pub use jwk::{Jwk, JwkSet, PrivateKey, encoded};
pub use registered::Registered;
pub use shared_secret::SharedSecret;
