//! The header of a signed token (RFC 7515, section 4), as far as anybody here asks for it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::json::{Once, Piece};
use crate::{Algorithm, TokenError};

/// What a header says.
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// `alg`; `Err` where it is none that keys sign by.
    pub(crate) algorithm: Option<Result<Algorithm, String>>,
    /// `kid`; `Err` where it is no text.
    pub(crate) kid: Option<Result<String, ()>>,
    /// `typ`; empty where it is no text.
    pub(crate) kind: Option<String>,
    /// Whether its token is more than signed text (RFC 7515, sections 4.1.11 and 9; RFC 7797).
    pub(crate) demands_more: bool,
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// When it is no JSON object, or names a member twice at any depth.
    pub(crate) fn read(text: &[u8]) -> Result<Self, TokenError> {
        serde_json::from_slice(text).map_err(|_| TokenError::Json)
    }

    fn set(&mut self, name: &str, value: Piece<'_>) {
        match name {
            "alg" => self.algorithm = value.as_text().map(algorithm),
            "kid" => self.kid = Some(value.into_text().ok_or(())),
            "typ" => self.kind = Some(value.into_text().unwrap_or_default()),
            "crit" | "enc" | "zip" => self.demands_more = true,
            "b64" => self.demands_more |= !matches!(value, Piece::Bool(true)),
            _ => {}
        }
    }
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    name.parse().map_err(|_| name.to_owned())
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Header, A::Error> {
        let (mut header, mut names) = (Header::default(), Once::default());
        while let Some(name) = names.next(&mut members)? {
            header.set(&name, members.next_value()?);
        }
        Ok(header)
    }
}
