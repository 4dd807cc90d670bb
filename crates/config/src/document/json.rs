//! [`Node`]s to and from JSON values, for what other libraries read and write.

use serde_json::{Map, Number};

use super::{Member, Node, Value};
use crate::diagnostics::Position;

impl Node {
    /// The tree as JSON. Numbers that JSON does not have, like infinity, become their text.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value, _) => (*value).into(),
            Value::Float(value, text) => match text.parse::<u64>() {
                Ok(whole) => whole.into(),
                Err(_) => Number::from_f64(*value).map_or_else(|| text.clone().into(), Into::into),
            },
            Value::Text(text) => text.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(members) => members
                .iter()
                .map(|member| (member.key.clone(), member.value.to_json()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// A tree of a JSON value, all of it at one place.
    pub fn from_json(json: &serde_json::Value, position: Position) -> Self {
        let below = |json| Self::from_json(json, position.clone());
        let value = match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::Integer(whole, number.to_string()),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN), number.to_string()),
            },
            serde_json::Value::String(text) => Value::Text(text.clone()),
            serde_json::Value::Array(items) => Value::List(items.iter().map(below).collect()),
            serde_json::Value::Object(members) => Value::Map(
                members
                    .iter()
                    .map(|(key, value)| Member {
                        key: key.clone(),
                        key_position: position.clone(),
                        value: below(value),
                    })
                    .collect(),
            ),
        };
        Self { position, value }
    }
}
