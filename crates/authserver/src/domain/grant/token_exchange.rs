//! `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): a client that was shown a token asks
//! for one of its own in its place. The new token speaks of the same subject and names who acts for
//! it; it is good for no more, and for no longer, than the one that it was given for.

use carnet_oauth::{
    Confirmation, ErrorCode,
    client::Client,
    grant::Grant,
    scope,
    token_request::TokenRequest,
    token_response::TokenResponse,
    token_type::{ACCESS_TOKEN, JWT},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::{
    AccessTokenStrategy,
    domain::{
        Authority, TokenError, claims,
        grant::{Granted, Person, not_registered},
        introspect::{self, LiveToken},
        policy,
    },
};

/// So many act for each other; a longer chain is a loop.
const LONGEST_CHAIN: usize = 8;

/// Whom a token that was shown speaks of, and how far it goes.
#[derive(Debug)]
struct Shown {
    /// The client that it was given to, or the issuer that made it: the name in `may_act_for`.
    source: String,
    subject: String,
    consent_id: String,
    scopes: Vec<String>,
    audiences: Vec<String>,
    /// In seconds since 1970.
    expires_at: i64,
    actor: Option<Value>,
    /// `may_act` (section 4.4).
    may_act: Option<Value>,
    /// Whether it is bound to a key.
    is_bound: bool,
}

/// Who will act.
struct Actor {
    subject: String,
    client_id: String,
    /// Nobody acts for longer than his own token counts.
    expires_at: i64,
}

impl Authority {
    /// A token in the place of another one. The decisions, in their order, are those of
    /// `docs/reference/token-exchange.md`.
    pub(super) async fn token_exchange(
        &self,
        client: &Client,
        request: &TokenRequest,
        bound_to: Confirmation,
    ) -> Result<TokenResponse, TokenError> {
        if !client.allows_grant(Grant::TokenExchange.name()) {
            return Err(not_registered(Grant::TokenExchange));
        }
        if client.is_public() {
            return Err(TokenError::refused(
                ErrorCode::UnauthorizedClient,
                "The client is public: nobody knows who would act.",
            ));
        }
        let issued_type = issued_type(request)?;
        let shown = self.subject(request).await?;
        let actor = self.actor(client, request).await?;
        check(client, &shown, &actor)?;
        let scopes = self.narrowed(client, request, &shown.scopes)?;
        let audiences = audiences(client, request, &shown)?;
        self.token_limiter.take(client, &self.counters)?;
        let now = self.now();
        let usual = i64::try_from(self.options.ttl_access_token.as_secs()).unwrap_or(i64::MAX);
        let ends = shown.expires_at.min(actor.expires_at);
        let mut granted = Granted {
            client_id: client.client_id.clone(),
            scopes,
            audiences,
            issued_at: now,
            expires_at: now.saturating_add(usual).min(ends),
            strategy: match issued_type {
                JWT => AccessTokenStrategy::Jwt,
                _ => self.strategy_of(client),
            },
            profile: self.profile_of(client),
            actor: chain(&shown, &actor)?,
            person: Some(Person {
                subject: shown.subject,
                consent_id: shown.consent_id,
                session: None,
            }),
            extra: Some(claims::sorted(client.access_token_claims.clone())),
            confirmation: bound_to,
        };
        self.ask_hooks(client, request, &mut granted).await?;
        let mut told = self.issue(granted).await?;
        // Looked at once more: who ended the tokens of a consent meanwhile has not seen this one.
        self.subject(request).await?;
        told.issued_token_type = Some(issued_type.to_owned());
        Ok(told)
    }

    /// The token that is to be exchanged.
    async fn subject(&self, request: &TokenRequest) -> Result<Shown, TokenError> {
        let parameters = &request.exchange;
        let token = parameters.subject_token.as_ref();
        let token = token.ok_or_else(|| invalid("Parameter 'subject_token' is missing."))?;
        let text = token.expose_secret();
        let shown = match parameters.subject_token_type.as_deref() {
            None => return Err(invalid("Parameter 'subject_token_type' is missing.")),
            Some(ACCESS_TOKEN) => self.live_token(text).await?.map(Shown::from),
            Some(JWT) => match self.live_token(text).await? {
                Some(live) => live.is_signed().then(|| Shown::from(live)),
                None => self.foreign(token).await?,
            },
            Some(_) => {
                return Err(invalid(
                    "Parameter 'subject_token_type' must be that of an access token or of a JWT.",
                ));
            }
        };
        shown.ok_or_else(|| {
            invalid(
                "The subject token is none that counts, or not of the type that it is said to be.",
            )
        })
    }

    /// A JWT of an issuer that the administrator trusts.
    async fn foreign(&self, token: &SecretString) -> Result<Option<Shown>, TokenError> {
        let Some(asserted) = believed(self.asserted(token.expose_secret()).await)? else {
            return Ok(None);
        };
        let Some(subject) = believed(self.whom(&asserted).await)? else {
            return Ok(None);
        };
        let claims = &asserted.claims;
        let trusted = &asserted.issuer.scopes;
        let strategy = self.options.scope_strategy;
        let is_trusted =
            |scope: &String| strategy.allows(trusted.iter().map(String::as_str), scope);
        Ok(Some(Shown {
            source: asserted.issuer.issuer.clone(),
            subject,
            consent_id: String::new(),
            scopes: match claims.contains_key("scope") || claims.contains_key("scp") {
                true => introspect::scopes(claims)
                    .into_iter()
                    .filter(is_trusted)
                    .collect(),
                false => trusted.clone(),
            },
            // It names this server, not whom the new token is for.
            audiences: Vec::new(),
            expires_at: carnet_jose::jwt::time(claims, "exp").unwrap_or_default(),
            actor: claims.get("act").cloned(),
            may_act: claims.get("may_act").cloned(),
            is_bound: claims.contains_key("cnf"),
        }))
    }

    /// Who acts: the subject of a token that the client was given itself, or the client.
    async fn actor(&self, client: &Client, request: &TokenRequest) -> Result<Actor, TokenError> {
        let parameters = &request.exchange;
        let Some(token) = &parameters.actor_token else {
            if parameters.actor_token_type.is_some() {
                return Err(invalid(
                    "Parameter 'actor_token_type' is there without 'actor_token'.",
                ));
            }
            return Ok(Actor {
                subject: client.client_id.clone(),
                client_id: client.client_id.clone(),
                expires_at: i64::MAX,
            });
        };
        if parameters.actor_token_type.as_deref() != Some(ACCESS_TOKEN) {
            return Err(invalid(
                "Parameter 'actor_token_type' must be that of an access token.",
            ));
        }
        let live = self.live_token(token.expose_secret()).await?;
        let live = live.filter(|live| live.client_id == client.client_id);
        let live = live.ok_or_else(|| {
            invalid("The actor token is none that counts, or was given to another client.")
        })?;
        if Shown::is_bound(&live) {
            return Err(bound("actor"));
        }
        Ok(Actor {
            subject: live.subject,
            client_id: live.client_id,
            expires_at: live.expires_at,
        })
    }

    /// The scopes that are granted: never one that the subject token has not, nor one that is not
    /// the client's. Who asks for none gets all that both have.
    fn narrowed(
        &self,
        client: &Client,
        request: &TokenRequest,
        held: &[String],
    ) -> Result<Vec<String>, TokenError> {
        let strategy = self.options.scope_strategy;
        let is_held = |scope: &str| strategy.allows(held.iter().map(String::as_str), scope);
        let is_own = |scope: &str| strategy.allows(client.scopes(), scope);
        if request.scopes.is_empty() {
            let both = held.iter().filter(|scope| is_own(scope));
            return Ok(both.cloned().collect());
        }
        let is_refused =
            |scope: &&String| !scope::is_well_formed(scope) || !is_held(scope) || !is_own(scope);
        match request.scopes.iter().find(is_refused) {
            None => Ok(request.scopes.clone()),
            Some(scope) => Err(TokenError::refused(
                ErrorCode::InvalidScope,
                format!("Scope '{scope}' is not the subject token's, or not the client's."),
            )),
        }
    }
}

/// Of which type the new token shall be.
fn issued_type(request: &TokenRequest) -> Result<&'static str, TokenError> {
    match request.exchange.requested_token_type.as_deref() {
        None | Some(ACCESS_TOKEN) => Ok(ACCESS_TOKEN),
        Some(JWT) => Ok(JWT),
        Some(_) => Err(invalid(
            "Parameter 'requested_token_type' must be that of an access token or of a JWT.",
        )),
    }
}

/// Whether the client may have a token in the place of this one. By default it may not; and a token
/// that says who may act for its subject is believed, too.
fn check(client: &Client, shown: &Shown, actor: &Actor) -> Result<(), TokenError> {
    if shown.is_bound {
        return Err(bound("subject"));
    }
    if !client.may_act_for.contains(&shown.source) {
        return Err(invalid(
            "The client may not act for whom this token was given to: 'may_act_for' does not name \
             it.",
        ));
    }
    let is_named = match &shown.may_act {
        None => true,
        Some(Value::Object(named)) => is_actor(named, actor),
        Some(_) => false,
    };
    match is_named {
        true => Ok(()),
        false => Err(invalid(
            "Claim 'may_act' of the subject token names another actor.",
        )),
    }
}

/// Whether all that is said of who may act is true of the actor.
fn is_actor(named: &Map<String, Value>, actor: &Actor) -> bool {
    let is_true = |(name, value): (&String, &Value)| match name.as_str() {
        "sub" => value == &actor.subject,
        "client_id" => value == &actor.client_id,
        _ => false,
    };
    !named.is_empty() && named.iter().all(is_true)
}

/// The audiences that are granted: those that are asked for and that are the client's, else those of
/// the subject token.
fn audiences(
    client: &Client,
    request: &TokenRequest,
    shown: &Shown,
) -> Result<Vec<String>, TokenError> {
    if request.audiences.is_empty() && request.resources.is_empty() {
        return Ok(shown.audiences.clone());
    }
    policy::audiences(client, request).map_err(|error| match error {
        // RFC 8693, section 2.2.2.
        TokenError::Refused(error) => {
            TokenError::refused(ErrorCode::InvalidTarget, error.description)
        }
        other => other,
    })
}

/// `act` (section 4.1): who acts, and whoever acted before. Nobody acts for himself.
fn chain(shown: &Shown, actor: &Actor) -> Result<Option<Value>, TokenError> {
    if actor.subject == shown.subject {
        return Ok(shown.actor.clone());
    }
    let (mut length, mut before) = (1, shown.actor.as_ref());
    while let Some(act) = before {
        length += 1;
        before = act.get("act");
    }
    if length > LONGEST_CHAIN {
        return Err(invalid(
            "Too many act for each other in this subject token.",
        ));
    }
    let mut act = json!({"sub": actor.subject});
    if actor.client_id != actor.subject {
        act["client_id"] = json!(actor.client_id);
    }
    if let Some(before) = &shown.actor {
        act["act"] = before.clone();
    }
    act.sort_all_objects();
    Ok(Some(act))
}

impl Shown {
    /// Whether a token is bound to a key or a certificate, which whoever shows it would have to have.
    fn is_bound(live: &LiveToken) -> bool {
        !live.confirmation.is_empty()
    }
}

impl From<LiveToken> for Shown {
    fn from(live: LiveToken) -> Self {
        Self {
            is_bound: Self::is_bound(&live),
            may_act: live.ext.get("may_act").cloned(),
            source: live.client_id,
            subject: live.subject,
            consent_id: live.consent_id,
            scopes: live.scopes,
            audiences: live.audiences,
            expires_at: live.expires_at,
            actor: live.actor,
        }
    }
}

/// What was believed; `None` where it was refused, for whatever reason.
fn believed<T>(outcome: Result<T, TokenError>) -> Result<Option<T>, TokenError> {
    match outcome {
        Ok(what) => Ok(Some(what)),
        Err(TokenError::Refused(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// The refusal of a token that was shown (section 2.2.2).
fn invalid(text: &str) -> TokenError {
    TokenError::refused(ErrorCode::InvalidRequest, text)
}

fn bound(which: &str) -> TokenError {
    invalid(&format!(
        "The {which} token is bound to a key: it is not exchanged."
    ))
}
