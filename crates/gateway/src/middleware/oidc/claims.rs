//! What expressions and headers look at: the claims of the ID token, and, behind `id_token.` and
//! `access_token.`, those of either token, as in the original.

use carnet_config::claims::Expression;
use carnet_config::routing::middleware::Claimed as Options;
use carnet_jose::{jws, jwt};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::session::Session;

const ID_TOKEN: &str = "id_token";
const ACCESS_TOKEN: &str = "access_token";

/// Which tokens are named.
#[derive(Debug)]
pub(super) struct Claims {
    names_id_token: bool,
    names_access_token: bool,
}

impl Claims {
    /// Those that these options name.
    pub(super) fn of(options: &Options) -> Self {
        let condition = options.claims.iter().flat_map(Expression::paths);
        let forwarded = options.forward_headers.values();
        let paths = condition.chain(forwarded).chain(&options.username_claim);
        let roots: Vec<&str> = paths
            .filter_map(|path| path.0.first().map(String::as_str))
            .collect();
        Self {
            names_id_token: roots.contains(&ID_TOKEN),
            names_access_token: roots.contains(&ACCESS_TOKEN),
        }
    }

    /// The claims of a session.
    pub(super) fn claims(&self, session: Session) -> Value {
        let mut claims = session.claims;
        let id_token = self.names_id_token.then(|| claims.clone());
        if self.names_access_token {
            let access_token = unverified(&session.access_token);
            claims.insert(ACCESS_TOKEN.to_owned(), access_token);
        }
        if let Some(id_token) = id_token {
            claims.insert(ID_TOKEN.to_owned(), Value::Object(id_token));
        }
        Value::Object(claims)
    }
}

/// The token came from the provider itself, and was sealed since. Null: it is opaque.
fn unverified(token: &SecretString) -> Value {
    let decoded = jws::decode_unverified(token.expose_secret()).ok();
    let claims = decoded.and_then(|decoded| jwt::claims(&decoded.payload).ok());
    claims.map_or(Value::Null, Value::Object)
}
