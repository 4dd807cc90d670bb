//! JSON for security: a member named twice is an error, not a choice (RFC 7515, section 4).
//!
//! Objects are read whole ([`parse_object`]), or member by member by somebody who needs few of them
//! ([`Piece`], [`Once`]); both are as strict.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads one JSON object and nothing behind it.
///
/// # Errors
/// When the text is no JSON object, names a member twice at any depth or has something behind it.
pub fn parse_object(text: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    match serde_json::from_slice::<Strict>(text)?.0 {
        Value::Object(object) => Ok(object),
        _ => Err(serde_json::Error::custom("not an object")),
    }
}

/// Any JSON, all of it kept.
pub(crate) struct Strict(pub(crate) Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.insert(name, value).is_some() {
                return Err(twice());
            }
        }
        Ok(Value::Object(object))
    }
}

/// A value of which no more is kept than registered claims and parameters of headers need; what lies
/// in it is read all the same, and as strictly.
pub(crate) enum Piece<'de> {
    Text(Cow<'de, str>),
    Number(Number),
    /// The texts of a list; what else is in it is left out.
    Texts(Vec<Cow<'de, str>>),
    Bool(bool),
    Other,
}

impl Piece<'_> {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Piece<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PieceVisitor)
    }
}

struct PieceVisitor;

impl<'de> Visitor<'de> for PieceVisitor {
    type Value = Piece<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Piece::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Piece::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Piece::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map_or(Piece::Other, Piece::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Piece::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Piece::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Piece::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(item) = items.next_element()? {
            if let Piece::Text(text) = item {
                texts.push(text);
            }
        }
        Ok(Piece::Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut names = Once::default();
        while names.next(&mut members)?.is_some() {
            members.next_value::<Piece<'de>>()?;
        }
        Ok(Piece::Other)
    }
}

/// The names of an object's members, each of which comes once.
#[derive(Default)]
pub(crate) struct Once<'de> {
    /// The first ones, which are all that most objects have.
    few: [Name<'de>; FEW],
    count: usize,
    more: BTreeSet<Name<'de>>,
}

/// Names among which one is looked for by looking at all of them.
const FEW: usize = 16;

impl<'de> Once<'de> {
    /// The name of the next member, whose value is then to be read; `None` at the end.
    pub(crate) fn next<A: MapAccess<'de>>(
        &mut self,
        members: &mut A,
    ) -> Result<Option<Cow<'de, str>>, A::Error> {
        let Some(name) = members.next_key::<Name<'de>>()? else {
            return Ok(None);
        };
        match self.insert(name.clone()) {
            true => Ok(Some(name.0)),
            false => Err(twice()),
        }
    }

    /// Whether the name is new.
    fn insert(&mut self, name: Name<'de>) -> bool {
        if self.few.iter().take(self.count).any(|other| *other == name) {
            return false;
        }
        match self.few.get_mut(self.count) {
            None => self.more.insert(name),
            Some(place) => {
                *place = name;
                self.count += 1;
                true
            }
        }
    }
}

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(PieceVisitor)? {
            Piece::Text(name) => Ok(Self(name)),
            _ => Err(D::Error::custom("a name that is no text")),
        }
    }
}

fn twice<E: serde::de::Error>() -> E {
    E::custom("a member is there twice")
}
#[cfg(test)]
mod tests {
    use super::*;

    // Holds JW-04.
    #[test]
    fn members_named_twice_are_refused_at_any_depth() {
        assert!(parse_object(br#"{"aud":"a"}"#).is_ok());
        for text in [
            r#"{"aud":"a","aud":"b"}"#,
            r#"{"ext":{"a":1,"a":1}}"#,
            r#"{"list":[{"a":1,"a":1}]}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"exp":1e400}"#,
            r#"{"a":1}{}"#,
            "[]",
            "",
        ] {
            assert!(parse_object(text.as_bytes()).is_err(), "{text}");
        }
    }
}
