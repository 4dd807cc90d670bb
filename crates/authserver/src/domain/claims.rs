//! The claims of a signed access token, in Hydra's order, which is the alphabet's.

use std::slice;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    domain::grant::Granted,
    options::{Options, ScopeClaim, TokenProfile},
};

/// What only this server says: no extra claim of that name stands at the top of a token.
pub(super) const RESERVED: [&str; 11] = [
    "act",
    "aud",
    "client_id",
    "exp",
    "ext",
    "iat",
    "iss",
    "jti",
    "nbf",
    "scp",
    "sub",
];

/// What this server says where it has status lists, and applications may say elsewhere.
const STATUS: &str = "status";

/// The claims.
#[derive(Debug, Serialize)]
pub(super) struct Claims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Value>,
    aud: &'a [String],
    client_id: &'a str,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext: Option<Ext<'a>>,
    iat: i64,
    iss: &'a str,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<&'a [String]>,
    /// Where it stands whether the token was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Value>,
    sub: &'a str,
    /// Extra claims that stand at the top as well.
    #[serde(skip)]
    promoted: Vec<(&'a str, &'a Value)>,
}

/// The extra claims, all of them or those that are nowhere else; `null` where a hook said nothing.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Ext<'a> {
    All(&'a Option<Map<String, Value>>),
    Rest(Map<String, Value>),
}

impl<'a> Claims<'a> {
    /// The claims of a grant.
    pub(super) fn new(
        options: &'a Options,
        granted: &'a Granted,
        (jti, status): (String, Option<Value>),
    ) -> Self {
        let scopes = granted.scopes.as_slice();
        let joined = || scopes.join(" ");
        let is_standard = granted.profile == TokenProfile::Rfc9068;
        let (scope, scp) = match options.scope_claim {
            // RFC 9068, section 2.2.3: where there are scopes, one text.
            _ if is_standard => ((!scopes.is_empty()).then(joined), None),
            ScopeClaim::List => (None, Some(scopes)),
            ScopeClaim::String => (Some(joined()), None),
            ScopeClaim::Both => (Some(joined()), Some(scopes)),
        };
        // RFC 9068, section 2.2: who asks for no audience gets a token for this server.
        let aud = match granted.audiences.as_slice() {
            [] if is_standard => slice::from_ref(&options.issuer),
            audiences => audiences,
        };
        // `scope` is the application's own only where this server says it by another name.
        let has_scope = is_standard || options.scope_claim != ScopeClaim::List;
        let promoted = promoted(options, granted, (has_scope, status.is_some()));
        Self {
            act: granted.actor.as_ref(),
            aud,
            client_id: &granted.client_id,
            exp: granted.expires_at,
            ext: ext(options, granted, &promoted),
            iat: granted.issued_at,
            iss: &options.issuer,
            jti,
            nbf: (!options.exclude_not_before_claim).then_some(granted.issued_at),
            scope,
            scp,
            status,
            sub: granted.subject(),
            promoted,
        }
    }

    /// The claims as they are signed.
    pub(super) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        if self.promoted.is_empty() {
            return serde_json::to_vec(self);
        }
        let mut claims = serde_json::to_value(self)?;
        if let Value::Object(claims) = &mut claims {
            let promoted = self.promoted.iter();
            claims.extend(promoted.map(|&(name, value)| (name.to_owned(), value.clone())));
            claims.sort_keys();
        }
        serde_json::to_vec(&claims)
    }
}

fn promoted<'a>(
    options: &Options,
    granted: &'a Granted,
    (has_scope, has_status): (bool, bool),
) -> Vec<(&'a str, &'a Value)> {
    let is_promoted = |name: &str| {
        let is_ours = RESERVED.contains(&name)
            || has_scope && name == "scope"
            || has_status && name == STATUS;
        let mut allowed = options.allowed_top_level_claims.iter();
        !is_ours && allowed.any(|allowed| allowed == name)
    };
    granted
        .extra
        .iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, _)| is_promoted(name))
        .collect()
}

fn ext<'a>(
    options: &Options,
    granted: &'a Granted,
    promoted: &[(&str, &Value)],
) -> Option<Ext<'a>> {
    if options.mirror_top_level_claims {
        let is_empty = granted.extra.as_ref().is_none_or(Map::is_empty);
        let is_shown = granted.profile == TokenProfile::Hydra || !is_empty;
        return is_shown.then_some(Ext::All(&granted.extra));
    }
    if !options.preserve_ext_claims {
        return None;
    }
    let is_left = |name: &String| promoted.iter().all(|(other, _)| other != name);
    let rest: Map<String, Value> = granted
        .extra
        .iter()
        .flatten()
        .filter(|(name, _)| is_left(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    (!rest.is_empty()).then_some(Ext::Rest(rest))
}

/// Claims in the order in which tokens have them, all the way down.
pub(super) fn sorted(mut claims: Map<String, Value>) -> Map<String, Value> {
    claims.values_mut().for_each(Value::sort_all_objects);
    claims.sort_keys();
    claims
}

/// The extra claims that a token of these claims was made with, as far as it says them.
pub(super) fn extra(claims: &Map<String, Value>) -> Map<String, Value> {
    let mut extra = match claims.get("ext") {
        Some(Value::Object(ext)) => ext.clone(),
        _ => Map::new(),
    };
    // Where a token has `scp` alone, its `scope` is the application's.
    let joined = claims.get("scp").and_then(Value::as_array).map(|scopes| {
        let words: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
        words.join(" ")
    });
    let is_ours = |name: &str, value: &Value| {
        RESERVED.contains(&name)
            || name == "scope" && joined.as_deref().is_none_or(|joined| value == joined)
            || name == STATUS && value.get("status_list").is_some()
    };
    for (name, value) in claims {
        if !is_ours(name, value) && !extra.contains_key(name) {
            extra.insert(name.clone(), value.clone());
        }
    }
    extra.sort_keys();
    extra
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn granted(extra: &Value) -> Granted {
        Granted {
            client_id: "c".to_owned(),
            scopes: vec!["a".to_owned(), "b".to_owned()],
            audiences: vec!["https://traefik.io".to_owned()],
            issued_at: 100,
            expires_at: 3700,
            strategy: crate::AccessTokenStrategy::Jwt,
            profile: TokenProfile::Hydra,
            person: None,
            actor: None,
            extra: extra.as_object().cloned(),
        }
    }

    fn text(options: &Options, granted: &Granted) -> String {
        let claims = Claims::new(options, granted, ("j".to_owned(), None));
        String::from_utf8(claims.to_json().unwrap()).unwrap()
    }

    fn claims(options: &Options) -> String {
        text(options, &granted(&json!({})))
    }

    #[test]
    fn the_claims_are_those_of_the_tutorial_in_its_order() {
        let options = Options {
            issuer: "http://hydra:4444".to_owned(),
            ..Options::default()
        };
        assert_eq!(
            claims(&options),
            r#"{"aud":["https://traefik.io"],"client_id":"c","exp":3700,"ext":{},"iat":100,"iss":"http://hydra:4444","jti":"j","nbf":100,"scp":["a","b"],"sub":"c"}"#
        );
    }

    #[test]
    fn the_settings_change_which_claims_there_are() {
        let mut options = Options {
            exclude_not_before_claim: true,
            mirror_top_level_claims: false,
            scope_claim: ScopeClaim::Both,
            ..Options::default()
        };
        let both = claims(&options);
        assert!(!both.contains("nbf") && !both.contains("ext"), "{both}");
        assert!(
            both.contains(r#""scope":"a b","scp":["a","b"],"sub""#),
            "{both}"
        );
        options.scope_claim = ScopeClaim::String;
        let string = claims(&options);
        assert!(string.contains(r#""scope":"a b","sub""#), "{string}");
    }

    #[test]
    fn a_token_of_rfc_9068_has_an_audience_and_its_scopes_as_one_text() {
        let options = Options {
            mirror_top_level_claims: true,
            ..Options::default()
        };
        let mut granted = Granted {
            profile: TokenProfile::Rfc9068,
            ..granted(&json!({}))
        };
        let standard = text(&options, &granted);
        assert!(standard.contains(r#""scope":"a b","sub""#), "{standard}");
        assert!(!standard.contains("ext"), "{standard}");
        granted.audiences.clear();
        granted.scopes.clear();
        let bare = text(&options, &granted);
        assert!(
            bare.contains(r#"{"aud":["http://localhost:4444"],"#),
            "{bare}"
        );
        assert!(!bare.contains("scope"), "{bare}");
    }

    #[test]
    fn extra_claims_go_where_the_settings_say_and_overwrite_nothing() {
        let said = json!({"role": "admin", "sub": "forged", "exp": 9, "scope": "forged", "x": 1});
        let granted = granted(&said);
        let allowed = ["role", "sub", "exp", "scope", "missing"].map(str::to_owned);
        let mut options = Options {
            allowed_top_level_claims: allowed.to_vec(),
            ..Options::default()
        };
        let read = |options: &Options| -> Value {
            serde_json::from_str(&text(options, &granted)).unwrap()
        };
        let mirrored = read(&options);
        assert_eq!(mirrored["ext"], said);
        assert_eq!(
            (&mirrored["sub"], &mirrored["exp"]),
            (&json!("c"), &json!(3700))
        );
        assert_eq!(
            (&mirrored["role"], &mirrored["x"]),
            (&json!("admin"), &Value::Null)
        );
        assert_eq!(mirrored["scope"], "forged");
        assert!(text(&options, &granted).contains(r#""nbf":100,"role":"admin","scope""#));

        options.mirror_top_level_claims = false;
        assert_eq!(read(&options).get("ext"), None);
        options.preserve_ext_claims = true;
        let rest = json!({"sub": "forged", "exp": 9, "x": 1});
        assert_eq!(read(&options)["ext"], rest);
        options.scope_claim = ScopeClaim::Both;
        assert_eq!(read(&options)["scope"], "a b");
        let all = extra(read(&options).as_object().unwrap());
        assert_eq!(Value::Object(all)["role"], "admin");
    }

    #[test]
    fn what_a_hook_left_open_is_null() {
        let granted = granted(&Value::Null);
        let claims = text(&Options::default(), &granted);
        assert!(claims.contains(r#""ext":null"#), "{claims}");
    }
}
