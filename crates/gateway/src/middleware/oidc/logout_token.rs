//! What a logout token must say beside what every token must (OpenID Connect Back-Channel Logout 1.0,
//! sections 2.4 and 2.6). Errors are sentences for the log and hold nothing of it.

use std::time::Duration;

use carnet_jose::jwt::{self, Claims};
use serde_json::Value;

use super::provider::LEEWAY;
use super::session::Logout;

/// The event that it speaks of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// No token is remembered for longer: the same logout again ends nothing that began since.
const LONGEST: i64 = 24 * 3600;

/// Who has logged out, by the claims of a token that was signed and timed as it should be, at this
/// moment, in seconds since 1970.
pub(super) fn read(claims: &Claims, now: i64) -> Result<Logout, &'static str> {
    let event = claims.get("events").and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err("the token speaks of no logout");
    }
    // Else an ID token could be taken for one, or one for an ID token.
    if claims.contains_key("nonce") {
        return Err("the token has a nonce, which no logout token has");
    }
    let (sid, sub) = (text(claims, "sid")?, text(claims, "sub")?);
    if sid.is_none() && sub.is_none() {
        return Err("the token does not say who has logged out");
    }
    let at = jwt::time(claims, "iat").ok_or("the token does not say when it was made")?;
    let end = jwt::time(claims, "exp").ok_or("the token says no end")?;
    let left = end.saturating_sub(now).saturating_add(LEEWAY);
    Ok(Logout {
        sid,
        sub,
        jti: text(claims, "jti")?.ok_or("the token has no `jti`")?,
        at,
        counts_for: Duration::from_secs(left.clamp(1, LONGEST).unsigned_abs()),
    })
}

/// A claim that is there is a text that is not empty.
fn text(claims: &Claims, name: &str) -> Result<Option<String>, &'static str> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err("a name in the token is no text"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use serde_json::json;

    const NOW: i64 = 1_795_694_400;

    fn read(change: &Value) -> Result<Logout, &'static str> {
        let mut claims = json!({
            "events": {EVENT: {}}, "sid": "s", "sub": "alice", "jti": "j", "iat": NOW - 5,
            "exp": NOW + 120,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
            if value == "absent" {
                claims.as_object_mut().unwrap().remove(name);
            }
        }
        super::read(claims.as_object().unwrap(), NOW)
    }

    #[test]
    fn it_says_who_left_which_session_and_when() {
        let logout = Logout {
            sid: Some("s".to_owned()),
            sub: Some("alice".to_owned()),
            jti: "j".to_owned(),
            at: NOW - 5,
            counts_for: Duration::from_secs(180),
        };
        assert_eq!(read(&json!({})), Ok(logout));
        assert_eq!(read(&json!({"sid": "absent"})).unwrap().sid, None);
        assert_eq!(read(&json!({"sub": "absent"})).unwrap().sub, None);
        let long = read(&json!({"exp": NOW * 2})).unwrap();
        assert_eq!(long.counts_for, Duration::from_secs(24 * 3600));
    }

    // Holds RP-08.
    #[test]
    fn what_lacks_something_or_is_another_token_is_none() {
        for change in [
            json!({"events": "absent"}),
            json!({"events": EVENT}),
            json!({"events": [EVENT]}),
            json!({"events": {EVENT: true}}),
            json!({"events": {"http://schemas.openid.net/event/another": {}}}),
            json!({"nonce": "n"}),
            json!({"nonce": null}),
            json!({"sid": "absent", "sub": "absent"}),
            json!({"sid": ""}),
            json!({"sid": ["s"]}),
            json!({"sub": 1}),
            json!({"jti": "absent"}),
            json!({"jti": ""}),
            json!({"iat": "absent"}),
            json!({"exp": "absent"}),
        ] {
            assert!(read(&change).is_err(), "{change}");
        }
    }
}
