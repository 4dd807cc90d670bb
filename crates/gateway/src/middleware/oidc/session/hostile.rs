//! What must hold whatever cookies a browser sends: a function of [`crate::fuzzing`].
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "it panics where something does not hold"
)]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carnet_config::routing::service::Cookie;
use carnet_jose::base64url;
use carnet_oauth::{Clock, Random};
use futures_util::FutureExt as _;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;

use super::sealed::Sealed;
use super::{Options, Session, Sessions};
use crate::cookies;

/// A clock that stands still, and bytes that nobody needs to be secret.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_694_400)
    }
}

impl Random for Still {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| {
    let secrets = ["a secret that no input can know....".into()];
    let owner = ("login@file", "client");
    let sealed = Sealed::new(&secrets, owner, Arc::new(Still), Arc::new(Still));
    let cookie = Cookie {
        name: Some("s".to_owned()),
        secure: false,
        http_only: true,
        same_site: None,
        max_age: 0,
        path: "/".to_owned(),
        domain: None,
    };
    let options = Options {
        cookie: &cookie,
        name: "session",
        expiry: Duration::from_secs(60),
        sliding: true,
        logouts: None,
    };
    let sealed = Arc::new(sealed.expect("a secret"));
    Sessions::new(&options, sealed, None, Arc::new(Still), Arc::new(Still)).expect("options")
});

/// Nobody is known by cookies that were not sealed here, and a request without ours has all others.
/// What was sealed is found again, with other cookies around it, and with one byte changed it is not.
pub fn oidc_cookie(bytes: &[u8]) {
    let foreign = headers(bytes);
    assert!(found(&foreign).is_none(), "somebody is known");
    are_taken_off(&foreign);
    let kept = kept(bytes);
    let mut sent = HeaderMap::new();
    for (name, value) in &kept {
        append(&mut sent, format!("{name}={value}").as_bytes());
    }
    for value in foreign.get_all(COOKIE) {
        sent.append(COOKIE, value.clone());
    }
    let session = found(&sent).expect("a session that was kept");
    assert_eq!(session.access_token.expose_secret(), token(bytes));
    are_taken_off(&sent);
    is_nothing_when_changed(bytes, &kept);
}

fn is_nothing_when_changed(bytes: &[u8], kept: &[(String, String)]) {
    let at = bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    let mut changed = HeaderMap::new();
    for (index, (name, value)) in kept.iter().enumerate() {
        let mut value = value.clone().into_bytes();
        if index == at % kept.len() {
            let length = value.len();
            let byte = &mut value[at % length];
            *byte = if *byte == b'A' { b'B' } else { b'A' };
        }
        append(&mut changed, &[name.as_bytes(), b"=", &value].concat());
    }
    assert!(found(&changed).is_none(), "a changed one opens");
}

fn are_taken_off(sent: &HeaderMap) {
    let mut without = sent.clone();
    SESSIONS.without(&mut without);
    for name in ["s", "s-1", "s-2", "s-3", "s-4"] {
        assert!(cookies::first(&without, name).is_none(), "{name} stays");
    }
    for name in ["t", "s-x", "ss"] {
        let (before, after) = (cookies::values(sent, name), cookies::values(&without, name));
        assert!(before.eq(after), "{name} changes");
    }
}

/// A line each.
fn headers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        append(&mut headers, line);
    }
    headers
}

fn append(headers: &mut HeaderMap, line: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(line) {
        headers.append(COOKIE, value);
    }
}

/// Text of the bytes, not too much for cookies.
fn token(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| *c >= ' ').take(1_500).collect()
}

/// The cookies of a session with a token of these bytes.
fn kept(bytes: &[u8]) -> Vec<(String, String)> {
    let now = Still.now();
    let session = Session {
        id_token: format!("e30.{}.", base64url::encode("{}")).into(),
        access_token: token(bytes).into(),
        refresh_token: None,
        expires_at: now,
        claims: serde_json::Map::new(),
        created_at: now,
        issued_at: 0,
        login: "a login".to_owned(),
    };
    let none = HeaderMap::new();
    let keep = SESSIONS.keep(&session, None, &none);
    let fields = keep.now_or_never().expect("no store").expect("it fits");
    let set: HeaderMap = fields
        .into_iter()
        .map(|field| (SET_COOKIE, field))
        .collect();
    let lines = set.get_all(SET_COOKIE).iter();
    let pair = |line: &HeaderValue| {
        let (pair, _) = line.to_str().ok()?.split_once(';')?;
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    lines.filter_map(pair).collect()
}

fn found(headers: &HeaderMap) -> Option<Session> {
    let found = SESSIONS.find(headers).now_or_never().expect("no store");
    match found {
        Ok(found) => found.map(|found| found.session),
        Err(fault) => panic!("no store can fail: {fault}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn what_must_hold_holds_for_the_seeds() {
        for seed in [
            "",
            "s=1.AAAA; t=1",
            "s=2.AQ; s-1=AQ\ns-x=1;ss=2",
            "s; s-1; ;;=\n s = 1.x ; s-9=1",
            "s=99999999999999999999.; s=5.; s-1=; s-2=; s-3=; s-4=",
        ] {
            oidc_cookie(seed.as_bytes());
        }
        oidc_cookie(&b"s=5.AAAA;".repeat(2_000));
    }

    proptest! {
        #[test]
        fn what_must_hold_holds_for_any_bytes(bytes in vec(any::<u8>(), 0..300)) {
            oidc_cookie(&bytes);
        }
    }
}
