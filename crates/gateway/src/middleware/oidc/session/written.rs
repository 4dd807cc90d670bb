//! A session as bytes. The claims are read from the ID token again, which has them word for word.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carnet_jose::base64url;
use carnet_jose::jwt::{self, Claims};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::Session;
use crate::token_source::seconds;

/// When the provider made an ID token that came at a moment.
pub(in crate::middleware::oidc) fn issued(claims: &Claims, came: SystemTime) -> i64 {
    jwt::time(claims, "iat").unwrap_or_else(|| seconds(came))
}

/// Times are milliseconds since 1970; `None`: one of them is before that.
pub(super) fn write(session: &Session) -> Option<Zeroizing<Vec<u8>>> {
    let millis = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since.as_millis()).ok()
    };
    let refresh = session.refresh_token.as_ref();
    let value = json!({
        "id": session.id_token.expose_secret(),
        "access": session.access_token.expose_secret(),
        "refresh": refresh.map(SecretString::expose_secret),
        "ends": millis(session.expires_at)?,
        "began": millis(session.created_at)?,
        "issued": session.issued_at,
        "login": session.login,
    });
    serde_json::to_vec(&value).ok().map(Zeroizing::new)
}

/// What was written; `None` for anything else.
pub(super) fn read(bytes: &[u8]) -> Option<Session> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let text = |name: &str| value.get(name)?.as_str();
    let time = |name: &str| {
        let millis = Duration::from_millis(value.get(name)?.as_u64()?);
        UNIX_EPOCH.checked_add(millis)
    };
    let id_token = text("id")?;
    let payload = base64url::decode(id_token.split('.').nth(1)?)?;
    let (claims, created_at) = (jwt::claims(&payload).ok()?, time("began")?);
    // Sessions from before it was written have not been renewed since, or are as old as they look.
    let issued_at = value.get("issued").and_then(Value::as_i64);
    Some(Session {
        id_token: id_token.into(),
        access_token: text("access")?.into(),
        refresh_token: text("refresh").map(SecretString::from),
        expires_at: time("ends")?,
        login: text("login").unwrap_or_default().to_owned(),
        issued_at: issued_at.unwrap_or_else(|| issued(&claims, created_at)),
        claims,
        created_at,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_before_says_by_its_id_token_when_it_began() {
        for (claims, issued_at) in [(json!({"iat": 7}), 7), (json!({}), 12)] {
            let payload = base64url::encode(claims.to_string());
            let value = json!({
                "id": format!("e30.{payload}.AA"), "access": "a", "ends": 99_000, "began": 12_345,
            });
            let session = read(value.to_string().as_bytes()).unwrap();
            assert_eq!((session.issued_at, &*session.login), (issued_at, ""));
        }
    }
}
