//! All that a token says, read when somebody asks: what says whether it may be used was read when it
//! was judged, and most routes ask for nothing more.

use std::sync::OnceLock;

use carnet_jose::jwt;
use serde_json::Value;

/// The claims of a token that is right.
#[derive(Debug)]
pub(in crate::middleware) struct Told {
    /// As they came, until they are read.
    payload: Vec<u8>,
    read: OnceLock<Value>,
}

impl Told {
    /// Claims that were looked at, and found to be an object.
    pub(in crate::middleware) fn unread(payload: Vec<u8>) -> Self {
        Self {
            payload,
            read: OnceLock::new(),
        }
    }

    pub(in crate::middleware) fn value(&self) -> &Value {
        let read = || jwt::claims(&self.payload).map_or(Value::Null, Value::Object);
        self.read.get_or_init(read)
    }
}

impl From<Value> for Told {
    fn from(claims: Value) -> Self {
        Self {
            payload: Vec::new(),
            read: OnceLock::from(claims),
        }
    }
}
