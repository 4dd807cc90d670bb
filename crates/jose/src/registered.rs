//! The claims that say whether a token may be used, and by whom: read without reading the others,
//! which most tokens are never asked for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::json::{Once, Piece, Strict};
use crate::{TokenError, jwt};

/// Registered claims (RFC 7519, section 4.1), and the key that a token is bound to (RFC 7800).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Registered<'a> {
    /// `iss`, where it is a text.
    pub issuer: Option<Cow<'a, str>>,
    /// `aud`: one text or several.
    pub audience: Vec<Cow<'a, str>>,
    /// `exp`, in seconds since 1970.
    pub end: Option<i64>,
    /// `nbf`, in seconds since 1970.
    pub not_before: Option<i64>,
    /// `iat`, in seconds since 1970.
    pub issued_at: Option<i64>,
    /// `cnf`, whatever it is.
    pub confirmation: Option<Cow<'a, Value>>,
}

impl<'a> Registered<'a> {
    /// Reads those claims of a payload, all of which is looked at as strictly as
    /// [`jwt::claims`] does.
    ///
    /// # Errors
    /// When the payload is no JSON object, names a member twice at any depth, or a time in it is no
    /// number.
    pub fn read(payload: &'a [u8]) -> Result<Self, TokenError> {
        // Looked at once, and not text by text.
        let text = str::from_utf8(payload).map_err(|_| TokenError::Json)?;
        serde_json::from_str(text).map_err(|_| TokenError::Json)
    }

    /// The same of claims that were read.
    #[must_use]
    pub fn of(claims: &'a Map<String, Value>) -> Self {
        let text = |value: &'a Value| value.as_str().map(Cow::Borrowed);
        let audience = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().filter_map(text).collect(),
            one => one.and_then(text).into_iter().collect(),
        };
        Self {
            issuer: claims.get("iss").and_then(text),
            audience,
            end: jwt::time(claims, "exp"),
            not_before: jwt::time(claims, "nbf"),
            issued_at: jwt::time(claims, "iat"),
            confirmation: claims.get("cnf").map(Cow::Borrowed),
        }
    }

    /// `None`: it is a time that is no number.
    fn set(&mut self, name: &str, value: Piece<'a>) -> Option<()> {
        match (name, value) {
            ("exp", value) => self.end = Some(time(&value)?),
            ("nbf", value) => self.not_before = Some(time(&value)?),
            ("iat", value) => self.issued_at = Some(time(&value)?),
            ("iss", Piece::Text(text)) => self.issuer = Some(text),
            ("aud", Piece::Text(text)) => self.audience = vec![text],
            ("aud", Piece::Texts(texts)) => self.audience = texts,
            _ => {}
        }
        Some(())
    }
}

fn time(value: &Piece<'_>) -> Option<i64> {
    match value {
        Piece::Number(number) => jwt::seconds(number),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Registered<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RegisteredVisitor)
    }
}

struct RegisteredVisitor;

impl<'de> Visitor<'de> for RegisteredVisitor {
    type Value = Registered<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut registered, mut names) = (Registered::default(), Once::default());
        while let Some(name) = names.next(&mut members)? {
            if name == "cnf" {
                let Strict(value) = members.next_value()?;
                registered.confirmation = Some(Cow::Owned(value));
                continue;
            }
            let is_good = registered.set(&name, members.next_value()?);
            is_good.ok_or_else(|| A::Error::custom("a time that is no number"))?;
        }
        Ok(registered)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn claims_read_alone_are_those_that_are_read_with_all_others() {
        for text in [
            r"{}",
            r#"{"iss":"https://as.example","aud":"a","exp":9,"nbf":8.5,"iat":7,"sub":"s"}"#,
            r#"{"iss":7,"aud":["a",1,null,"b",["c"]],"exp":1e3,"cnf":{"jkt":"k"}}"#,
            r#"{"\u0069ss":"escap\u0065d","aud":{"a":"b"},"scp":["x"],"ext":{"a":[{"iss":"i"}]}}"#,
            r#"{"aud":[],"cnf":null,"exp":-1}"#,
            r#"{"0":0,"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"aud":"b"}"#,
        ] {
            let claims = jwt::claims(text.as_bytes()).unwrap();
            let alone = Registered::read(text.as_bytes()).unwrap();
            assert_eq!(alone, Registered::of(&claims), "{text}");
        }
    }

    // Holds JW-04 and JW-07.
    #[test]
    fn whatever_is_refused_with_all_claims_is_refused_with_few() {
        for text in [
            r#"{"aud":"a","aud":"b"}"#,
            r#"{"sub":"a","sub":"a"}"#,
            r#"{"ext":{"a":1,"a":1}}"#,
            r#"{"list":[{"a":1,"a":1}]}"#,
            r#"{"cnf":{"jkt":"a","jkt":"b"}}"#,
            r#"{"sub":1,"\u0073ub":1}"#,
            r#"{"exp":"99"}"#,
            r#"{"exp":1e400}"#,
            r#"{"nbf":1e300}"#,
            r#"{"iat":null}"#,
            r#"{"iat":[]}"#,
            r#"{"exp":1}{}"#,
            r#"{"exp":1"#,
            "[]",
            "\"exp\"",
            "",
        ] {
            assert!(jwt::claims(text.as_bytes()).is_err(), "{text}");
            let alone = Registered::read(text.as_bytes());
            assert_eq!(alone, Err(TokenError::Json), "{text}");
        }
        for twice in [0, 15, 16, 19] {
            let names = (0..20).chain([twice]).map(|name| format!(r#""{name}":0"#));
            let text = format!("{{{}}}", names.collect::<Vec<_>>().join(","));
            let alone = Registered::read(text.as_bytes());
            assert_eq!(alone, Err(TokenError::Json), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        let deep = format!(r#"{{"a":{deep}}}"#);
        assert!(Registered::read(deep.as_bytes()).is_err());
    }
}
