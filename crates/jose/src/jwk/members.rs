//! Reading the members of a key.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{KeyError, base64url};

/// The members of one key.
pub(super) struct Members<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Members<'a> {
    /// A text that may be absent.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&'a str>, KeyError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(KeyError::Member(name)),
        }
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<&'a str, KeyError> {
        self.text(name)?.ok_or(KeyError::Member(name))
    }

    /// Texts that may be absent.
    pub(super) fn texts(&self, name: &'static str) -> Result<Option<Vec<&'a str>>, KeyError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => items
                .iter()
                .map(Value::as_str)
                .collect::<Option<Vec<_>>>()
                .map(Some)
                .ok_or(KeyError::Member(name)),
            Some(_) => Err(KeyError::Member(name)),
        }
    }

    /// Bytes that must be there.
    pub(super) fn bytes(&self, name: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        base64url::decode(self.required(name)?)
            .map(Zeroizing::new)
            .ok_or(KeyError::Member(name))
    }

    /// Bytes of a given number, as RFC 7518 wants them for curves.
    pub(super) fn fixed_bytes(
        &self,
        name: &'static str,
        length: usize,
    ) -> Result<Vec<u8>, KeyError> {
        let bytes = self.bytes(name)?;
        if bytes.len() == length {
            Ok(bytes.to_vec())
        } else {
            Err(KeyError::Member(name))
        }
    }
}

/// The uncompressed form of a point (SEC 1, 2.3.3).
pub(super) fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[0x04], x, y].concat()
}
