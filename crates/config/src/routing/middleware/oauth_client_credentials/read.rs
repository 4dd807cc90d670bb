//! From a map to [`OAuthClientCredentials`].

use std::time::Duration;

use url::Url;

use super::{
    Cache, ClientConfig, ClientTls, KeysAt, MAX_AGE, OAuthClientCredentials, Parameters, Proof,
    Refresh, Revocations, Verify, credentials, forward_headers, store,
};
use crate::claims::{ClaimPath, Expression};
use crate::document::Fields;
use crate::outbound::{insecure_skip_verify, outbound_url};
use crate::secret::{credential, secret};
use crate::token::is_token;

/// The words of `cache.refresh`.
const REFRESH: [(&str, Refresh); 2] = [("early", Refresh::Early), ("onUse", Refresh::OnUse)];

/// What tokens are asked for.
#[derive(Default)]
pub(in crate::routing::middleware) struct Wanted {
    pub(in crate::routing::middleware) audience: String,
    pub(in crate::routing::middleware) scopes: Vec<String>,
    pub(in crate::routing::middleware) resources: Vec<String>,
}

/// Whose credentials bring tokens.
pub(in crate::routing::middleware) enum Whose {
    /// The callers', unless the gateway has its own.
    Callers,
    /// The gateway's; and what shows them, where that was read elsewhere.
    Gateways(Option<Proof>),
}

/// Reads the options. `None` when there is no usable `url`; whatever else is wrong is in the
/// findings, which close the object.
pub(in super::super) fn read(fields: &mut Fields<'_>) -> Option<OAuthClientCredentials> {
    let wanted = Wanted {
        audience: fields.text("audience").unwrap_or_default(),
        scopes: scopes(fields),
        resources: resources(fields),
    };
    read_for(fields, wanted, Whose::Callers)
}

/// The same for whoever says elsewhere what is asked for.
pub(in crate::routing::middleware) fn read_for(
    fields: &mut Fields<'_>,
    wanted: Wanted,
    whose: Whose,
) -> Option<OAuthClientCredentials> {
    let Wanted {
        audience,
        scopes,
        resources,
    } = wanted;
    let url = outbound_url(fields, "url");
    let parameters = parameters(fields);
    let claims = claims(fields);
    let forward_headers = forward_headers::read(fields);
    let username_claim = claim_path(fields, "usernameClaim");
    let client_config = fields
        .map("clientConfig", client_config)
        .unwrap_or_default();
    let usual = match whose {
        Whose::Callers => Refresh::Early,
        Whose::Gateways(_) => Refresh::Never,
    };
    let has_certificate = client_config.tls.cert.is_some();
    let (credentials, proof) = credentials::read(fields, has_certificate, whose).unzip();
    let cache = fields.map("cache", |fields| cache(fields, usual));
    let cache = cache.unwrap_or_else(|| Cache::of(usual));
    let revocations = fields.map("revocations", revocations).flatten();
    let store = fields.section("store", store::read).flatten();
    if store.is_some() && !cache.enabled {
        fields.warn("store", "is not used: `cache.enabled` is false");
    }
    let verify = fields
        .map("verify", |fields| verify(fields, &audience))
        .flatten();
    let retry_unauthorized = fields.boolean("retryUnauthorized").unwrap_or(false);
    Some(OAuthClientCredentials {
        url: url?,
        audience,
        credentials,
        proof: proof.unwrap_or(Proof::Secret),
        scopes,
        resources,
        parameters,
        claims,
        forward_headers,
        username_claim,
        client_config,
        cache,
        store,
        retry_unauthorized,
        verify,
        revocations,
    })
}

/// `audience` is what is asked for.
fn verify(fields: &mut Fields<'_>, audience: &str) -> Option<Verify> {
    let jwks = fields.has("jwks").then(|| outbound_url(fields, "jwks"));
    let discovery = fields.has("discovery");
    let discovery = discovery.then(|| outbound_url(fields, "discovery"));
    let own = fields.text("audience");
    let issuer = fields.text("issuer").filter(|issuer| !issuer.is_empty());
    let keys = match (jwks, discovery) {
        (Some(url), None) => KeysAt::Jwks(url?),
        (None, Some(url)) => KeysAt::Discovery(url?),
        _ => {
            let message = "expects either `jwks` or `discovery`, a URL where the keys are";
            fields.error("", message);
            return None;
        }
    };
    Some(Verify {
        keys,
        issuer,
        audience: own.unwrap_or_else(|| audience.to_owned()),
    })
}

fn revocations(fields: &mut Fields<'_>) -> Option<Revocations> {
    let url = outbound_url(fields, "url");
    let bearer = secret(fields, "bearer");
    Some(Revocations { url: url?, bearer })
}

pub(in crate::routing::middleware) fn scopes(fields: &mut Fields<'_>) -> Vec<String> {
    scopes_at(fields, "scopes")
}

/// One item may hold several scopes. RFC 6749 section 3.3 says what a scope is made of.
pub(in crate::routing::middleware) fn scopes_at(
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Vec<String> {
    let texts = fields.texts(key);
    let is_scope = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
    let scopes = texts.iter().flat_map(|text| text.split_whitespace());
    let scopes: Vec<String> = scopes.map(str::to_owned).collect();
    if let Some(index) = scopes.iter().position(|s| !s.chars().all(is_scope)) {
        let message = format!(
            "scope {} has a character that scopes cannot have",
            index + 1
        );
        fields.error(key, message);
    }
    scopes
}

/// Absolute URIs without a fragment (RFC 8707 section 2).
pub(in crate::routing::middleware) fn resources(fields: &mut Fields<'_>) -> Vec<String> {
    let resources = fields.texts("resources");
    for (index, text) in resources.iter().enumerate() {
        if !Url::parse(text).is_ok_and(|url| url.fragment().is_none()) {
            let key = format!("resources[{index}]");
            fields.error(&key, "expects an absolute URI without a fragment");
        }
    }
    resources
}

/// Fields of the form that other options write.
const WRITTEN: [&str; 8] = [
    "audience",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
    "resource",
    "scope",
];

fn parameters(fields: &mut Fields<'_>) -> Parameters {
    let parameters = fields.text_map("parameters");
    for name in parameters.keys() {
        let key = format!("parameters.{name}");
        if WRITTEN.contains(&name.as_str()) {
            fields.error(&key, "this field has an option of its own");
        } else if name.is_empty() {
            fields.error(&key, "a field needs a name");
        }
    }
    let secret = |(name, value): (String, String)| (name, value.into());
    Parameters(parameters.into_iter().map(secret).collect())
}

pub(in crate::routing::middleware) fn claims(fields: &mut Fields<'_>) -> Option<Expression> {
    let text = fields.text("claims")?;
    if text.trim().is_empty() {
        return None;
    }
    match Expression::parse(&text) {
        Ok(expression) => Some(expression),
        Err(error) => {
            fields.error("claims", error.to_string());
            None
        }
    }
}

pub(in crate::routing::middleware) fn claim_path(
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<ClaimPath> {
    let text = fields.text(key).filter(|text| !text.is_empty())?;
    match ClaimPath::parse(&text) {
        Ok(path) => Some(path),
        Err(message) => {
            fields.error(key, message);
            None
        }
    }
}

pub(in crate::routing::middleware) fn client_config(fields: &mut Fields<'_>) -> ClientConfig {
    let default = ClientConfig::default();
    let seconds = fields.number::<u32>("timeoutSeconds");
    if seconds == Some(0) {
        fields.error("timeoutSeconds", "a call needs at least one second");
    }
    ClientConfig {
        timeout: seconds.map_or(default.timeout, |s| Duration::from_secs(s.into())),
        max_retries: fields.number("maxRetries").unwrap_or(default.max_retries),
        tls: fields.map("tls", client_tls).unwrap_or_default(),
    }
}

/// Reads `tls` towards a server. Certificates are texts.
pub(in crate::routing::middleware) fn client_tls(fields: &mut Fields<'_>) -> ClientTls {
    let bundle = certificate(fields, "caBundle");
    let tls = ClientTls {
        ca: certificate(fields, "ca").or(bundle),
        cert: certificate(fields, "cert"),
        key: secret(fields, "key"),
        insecure_skip_verify: insecure_skip_verify(fields),
    };
    if tls.cert.is_some() != tls.key.is_some() {
        let message = "`cert` and `key` belong together; set both or neither";
        fields.error(if tls.cert.is_some() { "key" } else { "cert" }, message);
    }
    tls
}

/// Traefik takes the text itself here, not the name of a file.
pub(in crate::routing::middleware) fn certificate(
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<String> {
    let text = credential(fields, key)?;
    if !text.contains("-----BEGIN ") {
        fields.error(key, "expects a certificate as PEM text");
    }
    Some(text)
}

/// `usual` is when tokens are fetched anew, where that may not be chosen otherwise: never.
fn cache(fields: &mut Fields<'_>, usual: Refresh) -> Cache {
    let default = Cache::of(usual);
    let max_age = fields.duration("maxAge").unwrap_or(default.max_age);
    if max_age > MAX_AGE {
        fields.error("maxAge", "tokens are kept for 300 seconds at most");
    }
    let header = fields.text("header").filter(|name| !name.is_empty());
    if header.as_deref().is_some_and(|name| !is_token(name)) {
        fields.error("header", "this is no name of a header");
    }
    Cache {
        enabled: fields.boolean("enabled").unwrap_or(default.enabled),
        max_age,
        refresh: match usual {
            Refresh::Never => usual,
            _ => fields.word("refresh", &REFRESH).unwrap_or(usual),
        },
        header,
    }
}
