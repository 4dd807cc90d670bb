//! The claims of a signed access token, in Hydra's order, which is the alphabet's.

use std::slice;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    domain::grant::Granted,
    options::{Options, ScopeClaim, TokenProfile},
};

/// The claims.
#[derive(Debug, Serialize)]
pub(super) struct Claims<'a> {
    aud: &'a [String],
    client_id: &'a str,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ext: Option<Map<String, Value>>,
    iat: i64,
    iss: &'a str,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<&'a [String]>,
    sub: &'a str,
}

impl<'a> Claims<'a> {
    /// The claims of a grant.
    pub(super) fn new(options: &'a Options, granted: &'a Granted, jti: String) -> Self {
        if options.token_profile == TokenProfile::Rfc9068 {
            return Self::of_rfc9068(options, granted, jti);
        }
        let scopes = granted.scopes.as_slice();
        let (scope, scp) = match options.scope_claim {
            ScopeClaim::List => (None, Some(scopes)),
            ScopeClaim::String => (Some(scopes.join(" ")), None),
            ScopeClaim::Both => (Some(scopes.join(" ")), Some(scopes)),
        };
        Self {
            aud: &granted.audiences,
            client_id: &granted.client_id,
            exp: granted.expires_at,
            ext: options.mirror_top_level_claims.then(Map::new),
            iat: granted.issued_at,
            iss: &options.issuer,
            jti,
            nbf: (!options.exclude_not_before_claim).then_some(granted.issued_at),
            scope,
            scp,
            sub: &granted.client_id,
        }
    }

    /// The claims of RFC 9068, section 2.2. Who asks for no audience gets a token for this server.
    fn of_rfc9068(options: &'a Options, granted: &'a Granted, jti: String) -> Self {
        let audiences = granted.audiences.as_slice();
        let is_for_nobody = audiences.is_empty();
        Self {
            aud: if is_for_nobody {
                slice::from_ref(&options.issuer)
            } else {
                audiences
            },
            client_id: &granted.client_id,
            exp: granted.expires_at,
            ext: None,
            iat: granted.issued_at,
            iss: &options.issuer,
            jti,
            nbf: (!options.exclude_not_before_claim).then_some(granted.issued_at),
            scope: (!granted.scopes.is_empty()).then(|| granted.scopes.join(" ")),
            scp: None,
            sub: &granted.client_id,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn claims(options: &Options) -> String {
        let granted = Granted {
            client_id: "c".to_owned(),
            scopes: vec!["a".to_owned(), "b".to_owned()],
            audiences: vec!["https://traefik.io".to_owned()],
            issued_at: 100,
            expires_at: 3700,
            strategy: crate::AccessTokenStrategy::Jwt,
        };
        serde_json::to_string(&Claims::new(options, &granted, "j".to_owned())).unwrap()
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
        options.token_profile = TokenProfile::Rfc9068;
        let standard = claims(&options);
        assert!(standard.contains(r#""scope":"a b","sub""#), "{standard}");
        assert!(!standard.contains("ext"), "{standard}");
        options.token_profile = TokenProfile::Hydra;
        options.scope_claim = ScopeClaim::String;
        let string = claims(&options);
        assert!(string.contains(r#""scope":"a b","sub""#), "{string}");
    }
}
