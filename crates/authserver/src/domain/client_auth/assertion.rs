//! `private_key_jwt`: an assertion that the client's own key signed (RFC 7523, section 3). It counts
//! once, for a short time, and for this server alone.

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::{
    Algorithm, base64url, jws,
    jwt::{self, Claims},
};
use carnet_oauth::{client::Client, client_auth::Method};
use serde_json::{Map, Value};

use crate::{
    domain::{Authority, TokenError, authority::within, client_auth::Seen},
    options::Options,
};

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 10;

/// An assertion may lie so many seconds ahead or back: its use is remembered until its end.
const DAY: i64 = 24 * 3600;

/// An assertion that is in order but for its use.
#[derive(Debug)]
struct Fit<'a> {
    jti: &'a str,
    /// Until when it must be remembered, in seconds since 1970.
    until: i64,
}

impl Authority {
    /// The client that an assertion comes from; `id` is the one that the request names beside it.
    pub(super) async fn by_assertion(
        &self,
        assertion: &str,
        id: Option<&str>,
    ) -> Result<Seen, TokenError> {
        let Ok(decoded) = jws::decode_unverified(assertion) else {
            return Ok(wrong());
        };
        let Ok(claims) = jwt::claims(&decoded.payload) else {
            return Ok(wrong());
        };
        let subject = text(&claims, "sub").unwrap_or_default();
        if id.is_some_and(|id| id != subject) {
            return Ok(wrong());
        }
        let row = within(self.store.find_client(subject)).await?;
        let Some(client) = row.map(|row| row.client).filter(may_assert) else {
            return Ok(wrong());
        };
        let fit = check(&self.options, &claims, subject, self.now());
        let Some(fit) = fit.filter(|_| is_of_the_right_kind(&decoded.header, &client)) else {
            return Ok(wrong());
        };
        if !self.client_keys.verify(&client, assertion).await {
            return Ok(wrong());
        }
        let use_of = use_of(subject, fit.jti);
        let is_first = within(self.store.use_jti(&use_of, fit.until)).await?;
        Ok(match is_first {
            true => Seen::Client(Box::new(client)),
            false => Seen::Used,
        })
    }
}

fn wrong() -> Seen {
    Seen::Wrong("assertion", None)
}

fn may_assert(client: &Client) -> bool {
    client.token_endpoint_auth_method == Method::PrivateKeyJwt.name()
}

/// Whether the header says what the client registered, and the text is no other kind of JWT.
fn is_of_the_right_kind(header: &Map<String, Value>, client: &Client) -> bool {
    let registered = match client.token_endpoint_auth_signing_alg.as_str() {
        "" => Algorithm::Rs256.name(),
        name => name,
    };
    let kind = match header.get("typ") {
        None => return text(header, "alg") == Some(registered),
        Some(kind) => kind.as_str().unwrap_or_default().to_ascii_lowercase(),
    };
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    matches!(kind, "jwt" | "client-authentication+jwt") && text(header, "alg") == Some(registered)
}

/// Checks what an assertion claims.
fn check<'a>(options: &Options, claims: &'a Claims, id: &str, now: i64) -> Option<Fit<'a>> {
    let ends = jwt::time(claims, "exp")?;
    let is_now =
        |name: &str| jwt::time(claims, name).is_none_or(|time| time <= now.saturating_add(LEEWAY));
    let is_recent = jwt::time(claims, "iat").is_none_or(|time| time >= now.saturating_sub(DAY));
    let is_in_time = now < ends.saturating_add(LEEWAY)
        && ends <= now.saturating_add(DAY)
        && is_now("nbf")
        && is_now("iat")
        && is_recent;
    let is_own = !id.is_empty() && text(claims, "iss") == Some(id);
    let jti = text(claims, "jti").filter(|jti| !jti.is_empty())?;
    (is_in_time && is_own && is_for_us(options, claims.get("aud"))).then_some(Fit {
        jti,
        until: ends.saturating_add(LEEWAY),
    })
}

/// Whether the audience is this server: its issuer or its token endpoint, in strict mode the issuer
/// and nobody else.
fn is_for_us(options: &Options, audience: Option<&Value>) -> bool {
    let audiences: Vec<&str> = match audience {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if options.strict_assertion_audience {
        return audiences == [options.issuer.as_str()];
    }
    let own = [
        options.issuer.clone(),
        options.token_endpoint(),
        format!("{}/oauth2/token", options.public_base()),
        format!("{}/oauth2/token", options.issuer_base()),
    ];
    audiences
        .iter()
        .any(|audience| own.iter().any(|own| own == audience))
}

/// The name of a use: of one client, in a fixed length.
fn use_of(client_id: &str, jti: &str) -> String {
    let text = format!("{}:{client_id}{jti}", client_id.len());
    base64url::encode(digest(&SHA256, text.as_bytes()))
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn is_fit(changes: Value, strict: bool) -> bool {
        let mut claims = json!({"iss": "c", "sub": "c", "jti": "j", "iat": NOW, "exp": NOW + 60,
            "aud": "https://i.example"});
        let members = claims.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            members.insert(name.clone(), value.clone());
        }
        members.retain(|_, value| !value.is_null());
        let options = Options {
            issuer: "https://i.example".to_owned(),
            public_url: Some("https://p.example/".to_owned()),
            strict_assertion_audience: strict,
            ..Options::default()
        };
        check(&options, members, "c", NOW).is_some()
    }

    // Holds AS-05.
    #[test]
    fn an_assertion_ends_soon_and_is_neither_old_nor_of_the_future() {
        for (changes, expected) in [
            (json!({}), true),
            (json!({"exp": null}), false),
            (json!({"exp": NOW - 61}), false),
            (json!({"exp": NOW - 10}), false),
            (json!({"exp": NOW - 9}), true),
            (json!({"exp": NOW + 365 * DAY}), false),
            (json!({"exp": i64::MAX}), false),
            (json!({"nbf": NOW + 10}), true),
            (json!({"nbf": NOW + 120}), false),
            (json!({"iat": null}), true),
            (json!({"iat": NOW + 10}), true),
            (json!({"iat": NOW + 120}), false),
            (json!({"iat": NOW - 2 * DAY}), false),
        ] {
            assert_eq!(is_fit(changes.clone(), false), expected, "{changes}");
        }
    }

    // Holds AS-02.
    #[test]
    fn an_assertion_names_its_client_and_itself() {
        for changes in [
            json!({"iss": "other"}),
            json!({"iss": null}),
            json!({"jti": null}),
            json!({"jti": ""}),
            json!({"jti": 7}),
        ] {
            assert!(!is_fit(changes.clone(), false), "{changes}");
        }
    }

    // Holds AS-03.
    #[test]
    fn an_assertion_is_for_this_server_and_in_strict_mode_for_its_issuer_alone() {
        for (audience, lax, strict) in [
            (json!("https://i.example"), true, true),
            (json!(["https://i.example"]), true, true),
            (json!(["https://i.example", "x"]), true, false),
            (json!("https://p.example/oauth2/token"), true, false),
            (json!("https://i.example/oauth2/token"), true, false),
            (json!("https://i.example/"), false, false),
            (json!("https://other.example"), false, false),
            (json!([]), false, false),
            (json!(null), false, false),
            (json!({"a": "https://i.example"}), false, false),
        ] {
            let changes = json!({"aud": audience});
            assert_eq!(is_fit(changes.clone(), false), lax, "{changes}");
            assert_eq!(is_fit(changes.clone(), true), strict, "strict {changes}");
        }
    }

    // Holds AS-04.
    #[test]
    fn another_kind_of_jwt_is_no_assertion() {
        let client = Client::default();
        for (header, expected) in [
            (json!({"alg": "RS256"}), true),
            (json!({"alg": "RS256", "typ": "JWT"}), true),
            (
                json!({"alg": "RS256", "typ": "client-authentication+jwt"}),
                true,
            ),
            (json!({"alg": "RS256", "typ": "application/JWT"}), true),
            (json!({"alg": "RS256", "typ": "at+jwt"}), false),
            (json!({"alg": "RS256", "typ": "dpop+jwt"}), false),
            (json!({"alg": "RS256", "typ": 1}), false),
            (json!({"alg": "ES256"}), false),
            (json!({}), false),
        ] {
            let members = header.as_object().unwrap();
            assert_eq!(is_of_the_right_kind(members, &client), expected, "{header}");
        }
    }

    #[test]
    fn a_use_belongs_to_one_client() {
        assert_ne!(use_of("ab", "c"), use_of("a", "bc"));
        assert_eq!(use_of("a", &"x".repeat(10_000)).len(), 43);
    }
}
