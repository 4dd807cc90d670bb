//! `oauth2.client_assertion.issuers` (ours): platforms whose tokens stand for clients.

use std::time::Duration;

use crate::document::Fields;
use crate::outbound::called_url;

/// Where OpenID providers describe themselves.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// A platform whose tokens count as client assertions, for clients that have no secret: a Kubernetes
/// cluster, a SPIFFE trust domain, a cloud. Files are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionIssuer {
    /// `issuer`: `iss` of its tokens, byte for byte; of a SPIFFE trust domain its id, as
    /// `spiffe://example.org`. Required.
    pub issuer: String,
    /// `jwks_url`, `jwks_file` or `discovery_url`: where its keys are. Default: the discovery
    /// document of the issuer.
    pub keys: IssuerKeys,
    /// `ca_file`: PEM of the one authority whose certificates these addresses may show. Default:
    /// those of the system.
    pub ca_file: Option<String>,
    /// `bearer_file`: a token by which these addresses let the server in. Default none.
    pub bearer_file: Option<String>,
    /// `audiences`: a token must be for one of them. Default: the issuer and the token endpoint of
    /// this server.
    pub audiences: Vec<String>,
    /// `max_lifetime`: tokens that live longer are refused. Default 24h.
    pub max_lifetime: Duration,
    /// `single_use`: a token counts once, by its `jti`. Default false: until its end.
    pub single_use: bool,
    /// `clients`: which workload is which client. At least one.
    pub clients: Vec<Workload>,
}

/// Where the keys of a platform are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerKeys {
    /// `discovery_url`.
    Discovery(String),
    /// `jwks_url`.
    Url(String),
    /// `jwks_file`.
    File(String),
}

/// A workload and its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// `subject`: `sub` of the token. `*` stands for any text within a part between `:` and `/`.
    /// Required.
    pub subject: String,
    /// `client_id`: the client that it is. Required.
    pub client_id: String,
}

/// Reads the list.
pub(super) fn read(fields: &mut Fields<'_>) -> Vec<AssertionIssuer> {
    let issuers = fields.maps("issuers", issuer);
    issuers.into_iter().flatten().collect()
}

fn issuer(fields: &mut Fields<'_>) -> Option<AssertionIssuer> {
    let issuer = fields.required_text("issuer");
    let keys = keys(fields, issuer.as_deref().unwrap_or_default());
    let clients = fields.maps("clients", workload);
    if clients.is_empty() {
        fields.error(
            "clients",
            "needs at least one `subject` and its `client_id`",
        );
    }
    let max_lifetime = fields.duration("max_lifetime");
    if max_lifetime.is_some_and(|longest| longest.is_zero()) {
        fields.error("max_lifetime", "tokens need a lifetime above zero");
    }
    Some(AssertionIssuer {
        ca_file: file(fields, "ca_file"),
        bearer_file: file(fields, "bearer_file"),
        audiences: fields.texts("audiences"),
        max_lifetime: max_lifetime.unwrap_or(Duration::from_secs(24 * 3600)),
        single_use: fields.boolean("single_use").unwrap_or(false),
        clients: clients.into_iter().flatten().collect(),
        keys: keys?,
        issuer: issuer?,
    })
}

fn keys(fields: &mut Fields<'_>, issuer: &str) -> Option<IssuerKeys> {
    let named = ["jwks_url", "jwks_file", "discovery_url"].map(|key| (key, fields.has(key)));
    let mut named = named
        .iter()
        .filter_map(|(key, is_there)| is_there.then_some(*key));
    let first = named.next();
    if let Some(second) = named.next() {
        fields.error(
            second,
            "only one of `jwks_url`, `jwks_file` and `discovery_url` says where the keys are",
        );
    }
    match first {
        Some("jwks_url") => url(fields, "jwks_url").map(IssuerKeys::Url),
        Some("jwks_file") => file(fields, "jwks_file").map(IssuerKeys::File),
        Some(_) => url(fields, "discovery_url").map(IssuerKeys::Discovery),
        None if issuer.starts_with("spiffe://") => {
            let message = "a SPIFFE trust domain has no discovery: name the address of its bundle as `jwks_url`, or `jwks_file`";
            fields.error("issuer", message);
            None
        }
        None => {
            if !issuer.is_empty() {
                url(fields, "issuer")?;
            }
            let base = issuer.trim_end_matches('/');
            Some(IssuerKeys::Discovery(format!("{base}{WELL_KNOWN}")))
        }
    }
}

/// Whoever sits between could give keys of his own.
fn url(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    called_url(fields, key, "keys are fetched from").map(String::from)
}

fn file(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    fields.text(key).filter(|path| !path.is_empty())
}

fn workload(fields: &mut Fields<'_>) -> Option<Workload> {
    let (subject, client_id) = (
        fields.required_text("subject"),
        fields.required_text("client_id"),
    );
    let subject = subject?;
    if subject
        .split([':', '/'])
        .any(|part| part.matches('*').count() > 1)
    {
        let message = "`*` stands for any text within a part between `:` and `/`, once in each";
        fields.error("subject", message);
    }
    Some(Workload {
        subject,
        client_id: client_id?,
    })
}
