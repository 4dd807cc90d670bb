//! `urn:ietf:params:oauth:grant-type:jwt-bearer`: an assertion of an issuer whom the administrator
//! trusts (RFC 7523, section 2.1). It counts once, and for nobody that is a client here.

use carnet_jose::{JwkSet, jws, jwt};
use carnet_oauth::{
    Confirmation, ErrorCode, client::Client, client::Lifespan, grant::Grant,
    token_request::TokenRequest,
};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::{
    domain::{
        Authority, TokenError,
        authority::within,
        claims,
        client_auth::{assertion_use, server_names},
        grant::{Granted, Person, not_registered, person::invalid_grant},
        policy,
    },
    store::TrustedIssuerRow,
};

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 10;

/// An assertion whose signature is right.
pub(super) struct Asserted {
    pub(super) claims: Map<String, Value>,
    pub(super) issuer: TrustedIssuerRow,
}

impl Authority {
    /// What an issuer grants to a client.
    pub(super) async fn jwt_bearer(
        &self,
        client: &Client,
        request: &TokenRequest,
    ) -> Result<Granted, TokenError> {
        if !client.allows_grant(Grant::JwtBearer.name()) {
            return Err(not_registered(Grant::JwtBearer));
        }
        let missing = || invalid_grant("Parameter 'assertion' is missing.");
        let text = request.assertion.as_ref().ok_or_else(missing)?;
        let asserted = self.asserted(text.expose_secret()).await?;
        let scopes = policy::scopes(&self.options, client, request)?;
        let trusted = asserted.issuer.scopes.iter().map(String::as_str);
        let trusted: Vec<&str> = trusted.collect();
        let strategy = self.options.scope_strategy;
        let is_refused = |scope: &&String| !strategy.allows(trusted.iter().copied(), scope);
        if let Some(scope) = scopes.iter().find(is_refused) {
            return Err(TokenError::refused(
                ErrorCode::InvalidScope,
                format!("The issuer of the assertion is not trusted with scope '{scope}'."),
            ));
        }
        let audiences = self.audiences_with(&asserted, policy::audiences(client, request)?);
        let subject = self.spend(&asserted).await?;
        self.token_limiter.take(client, &self.counters)?;
        let issued_at = self.now();
        let usual = i64::try_from(self.options.ttl_access_token.as_secs()).unwrap_or(i64::MAX);
        let own = client.lifespans.jwt_bearer_grant_access_token_lifespan;
        let mut granted = Granted {
            client_id: client.client_id.clone(),
            scopes,
            audiences,
            issued_at,
            expires_at: issued_at.saturating_add(own.map_or(usual, Lifespan::as_seconds)),
            strategy: self.strategy_of(client),
            profile: self.profile_of(client),
            person: Some(Person {
                subject,
                consent_id: String::new(),
                session: None,
            }),
            actor: None,
            extra: Some(claims::sorted(client.access_token_claims.clone())),
            confirmation: Confirmation::default(),
        };
        self.ask_hooks(client, request, &mut granted).await?;
        Ok(granted)
    }

    /// Whom a token is for: whom the client asked for and, where it is to be so, in front of them whom
    /// the assertion is for.
    fn audiences_with(&self, asserted: &Asserted, asked: Vec<String>) -> Vec<String> {
        if self.options.jwt_grant.omit_assertion_audience {
            return asked;
        }
        let mut audiences = audiences_of(&asserted.claims);
        audiences.retain(|name| !asked.contains(name));
        audiences.extend(asked);
        audiences
    }

    /// The claims of an assertion that a trusted issuer signed.
    pub(super) async fn asserted(&self, text: &str) -> Result<Asserted, TokenError> {
        let unreadable = || invalid_grant("The assertion is no JWT, or not one for this server.");
        let decoded = jws::decode_unverified(text).map_err(|_| unreadable())?;
        let claims = jwt::claims(&decoded.payload).map_err(|_| unreadable())?;
        let word = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let (iss, sub, now) = (word("iss"), word("sub"), self.now());
        let rows = within(self.store.trusted_issuers()).await?;
        let rows = rows.into_iter().filter(|row| {
            let is_about = row.any_subject || row.subject == sub;
            row.issuer == iss && is_about && now < row.expires_at
        });
        for issuer in rows {
            let keys = self.ring.set(&issuer.key_set);
            let keys = keys.iter().filter(|held| held.key.kid() == issuer.kid);
            let keys = JwkSet::new(keys.map(|held| held.key.public().clone()).collect());
            if jws::verify(text, &keys).is_ok() {
                return Ok(Asserted { claims, issuer });
            }
        }
        Err(invalid_grant(
            "No key is trusted that signed this assertion, for its issuer and its subject.",
        ))
    }

    /// Checks what an assertion says, and uses it up. Gives whom it is about.
    async fn spend(&self, asserted: &Asserted) -> Result<String, TokenError> {
        let subject = self.whom(asserted).await?;
        let claims = &asserted.claims;
        let word = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let jti = word("jti");
        match (jti.is_empty(), self.options.jwt_grant.jti_optional) {
            (true, true) => return Ok(subject),
            (true, false) => return Err(invalid_grant("The assertion says no 'jti'.")),
            (false, _) => {}
        }
        let ends = jwt::time(claims, "exp").unwrap_or_default();
        let name = assertion_use(&format!("issuer {}", word("iss")), jti);
        match within(self.store.use_jti(&name, ends)).await? {
            true => Ok(subject),
            false => Err(TokenError::refused(
                ErrorCode::JtiKnown,
                "The assertion was used before: its 'jti' counts once.",
            )),
        }
    }

    /// Whom an assertion is about that is in its time and for this server.
    pub(super) async fn whom(&self, asserted: &Asserted) -> Result<String, TokenError> {
        let claims = &asserted.claims;
        let word = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let invalid = |text: &str| Err(invalid_grant(text));
        self.check_times(claims)?;
        if !is_for(claims, &server_names(&self.options)) {
            return invalid("The assertion is not for this server: 'aud' names another.");
        }
        let subject = word("sub");
        if subject.is_empty() {
            return invalid("The assertion says no 'sub'.");
        }
        if within(self.store.known_client(subject)).await?.is_some() {
            return invalid("The assertion is about a client of this server.");
        }
        Ok(subject.to_owned())
    }

    /// Whether an assertion counts now.
    fn check_times(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        let invalid = |text: &str| Err(invalid_grant(text));
        let options = &self.options.jwt_grant;
        let now = self.now();
        let time = |name: &str| jwt::time(claims, name);
        // One that need not say when it was made counts as made now.
        let unsaid = (options.iat_optional && !claims.contains_key("iat")).then_some(now);
        let (Some(ends), Some(made)) = (time("exp"), time("iat").or(unsaid)) else {
            return invalid("The assertion says no 'exp' or no 'iat'.");
        };
        let begins = time("nbf").unwrap_or(made);
        if now >= ends || begins > now.saturating_add(LEEWAY) {
            return invalid("The assertion is over, or has not begun.");
        }
        let longest = i64::try_from(options.max_ttl.as_secs()).unwrap_or(i64::MAX);
        if ends.saturating_sub(made) > longest || made > now.saturating_add(LEEWAY) {
            return invalid("The assertion lives too long, or was made in the future.");
        }
        Ok(())
    }
}

fn is_for(claims: &Map<String, Value>, names: &[String]) -> bool {
    let audiences = audiences_of(claims);
    audiences.iter().any(|name| names.contains(name))
}

/// Whom an assertion is for, by its own words.
fn audiences_of(claims: &Map<String, Value>) -> Vec<String> {
    let texts = match claims.get("aud") {
        Some(Value::Array(several)) => several.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let texts = texts.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
