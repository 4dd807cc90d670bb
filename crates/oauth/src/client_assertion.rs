//! A client assertion (RFC 7523, section 3): a JWT by which a client shows who it is. Here is all
//! that its text must say; whose key signed it, and whether it was used before, others know.

use carnet_jose::{
    Algorithm, jws,
    jwt::{self, Claims},
};
use serde_json::{Map, Value};

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 10;

/// An assertion may lie so many seconds ahead or back: its use is remembered until its end.
const DAY: i64 = 24 * 3600;

/// An assertion, read but not believed.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientAssertion {
    header: Map<String, Value>,
    claims: Claims,
}

/// How strictly an assertion must be addressed to this server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// To one of its names, perhaps among others.
    #[default]
    Endpoint,
    /// To its issuer and to nobody else.
    Issuer,
    /// The same, in one text and not in a list (FAPI 2.0 Security Profile, section 5.3.2.1).
    IssuerText,
}

/// What an assertion must agree with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<'a> {
    /// `token_endpoint_auth_signing_alg` of the client; RS256 when empty.
    pub algorithm: &'a str,
    /// The names of this server. The first is its issuer.
    pub audiences: &'a [String],
    /// How strictly it must be for one of them.
    pub audience: AssertionAudience,
    /// In seconds since 1970.
    pub now: i64,
}

/// What an assertion must agree with that somebody else than the client made: a platform that knows
/// the workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched<'a> {
    /// The names of this server. The first is its issuer.
    pub audiences: &'a [String],
    /// How strictly it must be for one of them. Platforms write lists, also of one: a list of the
    /// first alone will do.
    pub audience: AssertionAudience,
    /// From its making to its end it lives so many seconds at most.
    pub longest: i64,
    /// In seconds since 1970.
    pub now: i64,
}

/// An assertion that is in order but for its signature and its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit<'a> {
    /// `jti`.
    pub jti: &'a str,
    /// Until when its use must be remembered, in seconds since 1970.
    pub until: i64,
}

impl ClientAssertion {
    /// Reads an assertion; `None` when it is no JWT.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let decoded = jws::decode_unverified(text).ok()?;
        let claims = jwt::claims(&decoded.payload).ok()?;
        Some(Self {
            header: decoded.header,
            claims,
        })
    }

    /// The client that it speaks of; empty when it does not say.
    #[must_use]
    pub fn subject(&self) -> &str {
        text(&self.claims, "sub").unwrap_or_default()
    }

    /// Who made it; empty when it does not say.
    #[must_use]
    pub fn issuer(&self) -> &str {
        text(&self.claims, "iss").unwrap_or_default()
    }

    /// Its own name, where it has one.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        text(&self.claims, "jti").filter(|jti| !jti.is_empty())
    }

    /// Whether an assertion that a platform made says what it must; until when it counts, in seconds
    /// since 1970. Such a token is shown again until its end, and has no other bound: it must not
    /// live long.
    #[must_use]
    pub fn check_vouched(&self, expected: &Vouched<'_>) -> Option<i64> {
        let ends = jwt::time(&self.claims, "exp")?;
        let made = jwt::time(&self.claims, "iat").unwrap_or(expected.now);
        let is_short = ends.saturating_sub(made) <= expected.longest
            && ends
                <= expected
                    .now
                    .saturating_add(expected.longest)
                    .saturating_add(LEEWAY);
        let within_a_list = match expected.audience {
            AssertionAudience::IssuerText => AssertionAudience::Issuer,
            other => other,
        };
        let is_fit = !self.subject().is_empty()
            && self.is_kind(&["jwt", "jose", "client-authentication+jwt"])
            && is_short
            && self.counts(ends, expected.now)
            && self.is_for(expected.audiences, within_a_list);
        is_fit.then(|| ends.saturating_add(LEEWAY))
    }

    /// Whether it says what it must.
    #[must_use]
    pub fn check(&self, expected: &Expected<'_>) -> Option<Fit<'_>> {
        let ends = jwt::time(&self.claims, "exp")?;
        let id = self.subject();
        let is_own = !id.is_empty() && self.issuer() == id;
        let jti = self.jti()?;
        let is_fit = is_own
            && self.is_of_the_right_kind(expected.algorithm)
            && self.is_in_time(ends, expected.now)
            && self.is_for(expected.audiences, expected.audience);
        is_fit.then_some(Fit {
            jti,
            until: ends.saturating_add(LEEWAY),
        })
    }

    /// Whether the header says what the client registered, and the text is no other kind of JWT.
    fn is_of_the_right_kind(&self, registered: &str) -> bool {
        let registered = match registered {
            "" => Some(Algorithm::Rs256),
            name => name.parse().ok(),
        };
        let named = text(&self.header, "alg").and_then(|name| name.parse().ok());
        if named.is_none() || named != registered {
            return false;
        }
        self.is_kind(&["jwt", "client-authentication+jwt"])
    }

    /// Whether the text says to be of one of these kinds, or does not say.
    fn is_kind(&self, kinds: &[&str]) -> bool {
        let Some(kind) = self.header.get("typ") else {
            return true;
        };
        let kind = kind.as_str().unwrap_or_default().to_ascii_lowercase();
        kinds.contains(&kind.strip_prefix("application/").unwrap_or(&kind))
    }

    fn is_in_time(&self, ends: i64, now: i64) -> bool {
        let is_recent =
            jwt::time(&self.claims, "iat").is_none_or(|time| time >= now.saturating_sub(DAY));
        self.counts(ends, now) && ends <= now.saturating_add(DAY) && is_recent
    }

    /// Whether it has begun and not ended.
    fn counts(&self, ends: i64, now: i64) -> bool {
        let has_come = |name: &str| {
            let time = jwt::time(&self.claims, name);
            time.is_none_or(|time| time <= now.saturating_add(LEEWAY))
        };
        now < ends.saturating_add(LEEWAY) && has_come("nbf") && has_come("iat")
    }

    /// Whether the audience is this server.
    fn is_for(&self, own: &[String], wanted: AssertionAudience) -> bool {
        let told = self.claims.get("aud");
        let audiences: Vec<&str> = match told {
            Some(Value::String(one)) => vec![one],
            // What is no text is somebody else.
            Some(Value::Array(several)) => {
                let texts = several.iter().map(Value::as_str);
                texts.map(Option::unwrap_or_default).collect()
            }
            _ => Vec::new(),
        };
        let is_issuer = || own.first().is_some_and(|issuer| audiences == [issuer]);
        match wanted {
            AssertionAudience::Endpoint => audiences
                .iter()
                .any(|audience| own.iter().any(|own| own == audience)),
            AssertionAudience::Issuer => is_issuer(),
            AssertionAudience::IssuerText => is_issuer() && told.is_some_and(Value::is_string),
        }
    }
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

    fn fit(header: &Value, changes: &Value, expected: &Expected<'_>) -> bool {
        let mut claims = json!({"iss": "c", "sub": "c", "jti": "j", "iat": NOW, "exp": NOW + 60,
            "aud": "https://i.example"});
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        let assertion = ClientAssertion {
            header: header.as_object().unwrap().clone(),
            claims: members.clone(),
        };
        assertion.check(expected).is_some()
    }

    fn is_fit(changes: Value, audience: AssertionAudience) -> bool {
        let audiences = [
            "https://i.example",
            "https://p.example/oauth2/token",
            "https://i.example/oauth2/token",
        ];
        let expected = Expected {
            algorithm: "RS256",
            audiences: &audiences.map(str::to_owned),
            audience,
            now: NOW,
        };
        fit(&json!({"alg": "RS256"}), &changes, &expected)
    }

    fn is_of_the_right_kind(header: &Value, algorithm: &str) -> bool {
        let expected = Expected {
            algorithm,
            audiences: &["https://i.example".to_owned()],
            audience: AssertionAudience::IssuerText,
            now: NOW,
        };
        fit(header, &json!({}), &expected)
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
            let is_fit = is_fit(changes.clone(), AssertionAudience::Endpoint);
            assert_eq!(is_fit, expected, "{changes}");
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
            let is_fit = is_fit(changes.clone(), AssertionAudience::Endpoint);
            assert!(!is_fit, "{changes}");
        }
    }

    // Holds AS-03, JW-09.
    #[test]
    fn an_assertion_is_for_this_server_and_in_strict_mode_for_its_issuer_alone() {
        for (audience, lax, strict) in [
            (json!("https://i.example"), true, true),
            (json!(["https://i.example"]), true, true),
            (json!(["https://i.example", 7]), true, false),
            (json!(["https://i.example", "x"]), true, false),
            (json!("https://p.example/oauth2/token"), true, false),
            (json!("https://i.example/oauth2/token"), true, false),
            (json!("https://i.example/"), false, false),
            (json!("https://I.example"), false, false),
            (json!("https://i.exampl"), false, false),
            (json!("https://i.example.evil"), false, false),
            (json!(["https://i.example/"]), false, false),
            (json!([["https://i.example"]]), false, false),
            (json!(""), false, false),
            (json!("https://other.example"), false, false),
            (json!([]), false, false),
            (json!(null), false, false),
            (json!({"a": "https://i.example"}), false, false),
        ] {
            let is_text = strict && audience.is_string();
            let changes = json!({"aud": audience});
            for (wanted, expected) in [
                (AssertionAudience::Endpoint, lax),
                (AssertionAudience::Issuer, strict),
                (AssertionAudience::IssuerText, is_text),
            ] {
                let is_fit = is_fit(changes.clone(), wanted);
                assert_eq!(is_fit, expected, "{wanted:?} {changes}");
            }
        }
    }

    // Holds AS-04, JW-10.
    #[test]
    fn another_kind_of_jwt_is_no_assertion() {
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
            (json!({"alg": "none"}), false),
            (json!({}), false),
        ] {
            assert_eq!(is_of_the_right_kind(&header, ""), expected, "{header}");
        }
    }

    #[test]
    fn the_older_and_the_newer_name_of_ed25519_mean_the_same() {
        for (registered, named) in [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA")] {
            assert!(is_of_the_right_kind(&json!({"alg": named}), registered));
        }
    }

    #[test]
    fn what_a_platform_says_of_a_workload_lives_as_long_as_it_may_and_is_for_this_server() {
        let until = |changes: Value, longest: i64| {
            let mut claims = json!({"iss": "https://cluster.example", "sub": "system:a",
                "iat": NOW, "exp": NOW + 60, "aud": ["https://i.example"]});
            let members = claims.as_object_mut().unwrap();
            members.extend(changes.as_object().unwrap().clone());
            members.retain(|_, value| !value.is_null());
            let header = json!({"alg": "RS256", "kid": "k"});
            let assertion = ClientAssertion {
                header: header.as_object().unwrap().clone(),
                claims: members.clone(),
            };
            assertion.check_vouched(&Vouched {
                audiences: &["https://i.example".to_owned()],
                audience: AssertionAudience::IssuerText,
                longest,
                now: NOW,
            })
        };
        let hour = 3600;
        for (changes, expected) in [
            (json!({}), Some(NOW + 60 + LEEWAY)),
            (json!({"jti": "j"}), Some(NOW + 60 + LEEWAY)),
            (json!({"iat": null}), Some(NOW + 60 + LEEWAY)),
            (json!({"exp": NOW + hour}), Some(NOW + hour + LEEWAY)),
            (json!({"iat": NOW - hour}), None),
            (json!({"exp": NOW + hour + 1}), None),
            (json!({"exp": NOW + hour + 11, "iat": null}), None),
            (json!({"exp": NOW + hour + 20, "iat": NOW + 9}), None),
            (json!({"exp": NOW - 10}), None),
            (json!({"exp": null}), None),
            (json!({"nbf": NOW + 120}), None),
            (json!({"iat": NOW + 120, "exp": NOW + 180}), None),
            (json!({"aud": "https://i.example"}), Some(NOW + 60 + LEEWAY)),
            (json!({"aud": ["https://i.example", "x"]}), None),
            (json!({"aud": "https://kubernetes.default.svc"}), None),
            (json!({"aud": null}), None),
            (json!({"sub": null}), None),
            (json!({"sub": ""}), None),
        ] {
            assert_eq!(until(changes.clone(), hour), expected, "{changes}");
        }
    }
}
