//! The keys that everybody may have: old ones too, so that old tokens can be verified.

use serde_json::{Map, Value};

use crate::domain::{
    AdminError, Authority,
    keys::{ACCESS_TOKENS, ID_TOKENS},
};

impl Authority {
    /// The public keys, of the sets that sign and of those that are to be published besides.
    pub(crate) async fn jwks(&self) -> Result<Vec<Map<String, Value>>, AdminError> {
        if !self.ring.is_complete() {
            self.ring.complete().await?;
        }
        let mut sets: Vec<&str> = self
            .options
            .broadcast_keys
            .iter()
            .map(String::as_str)
            .collect();
        for set in [ID_TOKENS, ACCESS_TOKENS] {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        Ok(self.ring.public_keys(sets))
    }
}
