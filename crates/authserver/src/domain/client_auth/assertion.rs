//! `private_key_jwt`: an assertion that the client's own key signed (RFC 7523, section 3). It counts
//! once, for a short time, and for this server alone.

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::base64url;
use carnet_oauth::{
    client::Client,
    client_assertion::{ClientAssertion, Expected},
    client_auth::Method,
};

use crate::{
    domain::{
        Authority, TokenError,
        authority::within,
        client_auth::{Kind, Seen},
    },
    options::Options,
};

impl Authority {
    /// The client that an assertion comes from; `id` is the one that the request names beside it.
    pub(super) async fn by_assertion(
        &self,
        kind: Kind,
        text: &str,
        id: Option<&str>,
    ) -> Result<Seen, TokenError> {
        let Some(assertion) = ClientAssertion::read(text) else {
            return Ok(Seen::Wrong("assertion", None));
        };
        if let Some(platform) = self.platforms.of(kind, &assertion) {
            let shown = (kind, text, &assertion);
            return self.by_platform(platform, shown, id).await;
        }
        match kind {
            Kind::JwtBearer => self.by_own_key(text, &assertion, id).await,
            Kind::JwtSpiffe => Ok(Seen::Wrong("assertion", None)),
        }
    }

    /// The client that signed an assertion itself.
    async fn by_own_key(
        &self,
        text: &str,
        assertion: &ClientAssertion,
        id: Option<&str>,
    ) -> Result<Seen, TokenError> {
        let subject = assertion.subject();
        if id.is_some_and(|id| id != subject) {
            return Ok(Seen::Wrong("assertion", None));
        }
        let row = within(self.store.known_client(subject)).await?;
        let Some(row) = row.filter(|row| may_assert(&row.client)) else {
            return Ok(Seen::Wrong("assertion", None));
        };
        let client = &row.client;
        let Some(fit) = assertion.check(&Expected {
            algorithm: &client.token_endpoint_auth_signing_alg,
            audiences: &names(&self.options),
            audience: self.options.assertion_audience,
            now: self.now(),
        }) else {
            return Ok(Seen::Wrong("assertion", None));
        };
        if !self.client_keys.verify(client, text).await {
            return Ok(Seen::Wrong("assertion", None));
        }
        let use_of = use_of(subject, fit.jti);
        let is_first = within(self.store.use_jti(&use_of, fit.until)).await?;
        Ok(match is_first {
            true => Seen::Client(row),
            false => Seen::Used,
        })
    }
}

fn may_assert(client: &Client) -> bool {
    client.token_endpoint_auth_method == Method::PrivateKeyJwt.name()
}

/// What this server is called: its issuer, and its token endpoint in every spelling.
pub(in crate::domain) fn names(options: &Options) -> Vec<String> {
    let mut names = vec![options.issuer.clone()];
    names.extend(token_endpoints(options));
    // RFC 9126, section 2.
    names.extend(options.endpoints("/oauth2/par"));
    names
}

/// The token endpoint in every spelling.
pub(in crate::domain) fn token_endpoints(options: &Options) -> Vec<String> {
    let mut endpoints = vec![options.token_endpoint()];
    endpoints.extend(options.endpoints("/oauth2/token"));
    endpoints
}

/// The name of a use: of one client, in a fixed length.
pub(in crate::domain) fn use_of(client_id: &str, jti: &str) -> String {
    let text = format!("{}:{client_id}{jti}", client_id.len());
    base64url::encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_and_the_token_endpoint_are_names_of_the_server() {
        let options = Options {
            issuer: "https://i.example".to_owned(),
            public_url: Some("https://p.example/".to_owned()),
            ..Options::default()
        };
        let names = names(&options);
        assert_eq!(names[0], "https://i.example");
        for name in [
            "https://p.example/oauth2/token",
            "https://i.example/oauth2/token",
        ] {
            assert!(names.contains(&name.to_owned()), "{name}");
        }
    }

    #[test]
    fn a_use_belongs_to_one_client() {
        assert_ne!(use_of("ab", "c"), use_of("a", "bc"));
        assert_eq!(use_of("a", &"x".repeat(10_000)).len(), 43);
    }
}
