//! From a map to [`OAuthTokenExchange`].

use secrecy::SecretString;
use url::Url;

use super::{Actor, Method, OAuthTokenExchange, Rfc8693};
use crate::document::Fields;
use crate::routing::middleware::oauth_client_credentials::{
    Proof, SigningKey, Wanted, Whose, certificate, read_for, resources, scopes,
};
use crate::routing::middleware::token_source::TokenSource;
use crate::secret::secret;

/// The type of access tokens (RFC 8693, section 3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What no service takes in the place of an access token.
const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";

/// Fields of the form that this middleware writes besides those of every client.
const WRITTEN: [&str; 7] = [
    "actor_token",
    "actor_token_type",
    "assertion",
    "requested_token_type",
    "requested_token_use",
    "subject_token",
    "subject_token_type",
];

/// The words of `method`.
const METHODS: [(&str, Word); 2] = [("rfc8693", Word::Rfc8693), ("entraID", Word::EntraId)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Rfc8693,
    EntraId,
}

/// What a method asks for, and how; the proof is one that it has of its own.
struct Asked {
    wanted: Wanted,
    method: Method,
    proof: Option<Proof>,
}

/// Reads the options. `None` when they cannot be used; the findings say why.
pub(in super::super) fn read(fields: &mut Fields<'_>) -> Option<OAuthTokenExchange> {
    let word = fields.word("method", &METHODS).unwrap_or(Word::Rfc8693);
    let by_rfc = fields.section("rfc8693", rfc8693);
    let by_entra = fields.section("entraID", entra_id);
    let (asked, other) = match word {
        Word::Rfc8693 => (
            Some(by_rfc.unwrap_or_default()),
            by_entra.map(|_| "entraID"),
        ),
        Word::EntraId => (by_entra.flatten(), by_rfc.map(|_| "rfc8693")),
    };
    if let Some(other) = other {
        fields.error(other, format!("is for `method: {other}`"));
    }
    if word == Word::EntraId && !fields.has("entraID") {
        let message = "`entraID` is missing: its `scopes` say what is asked for";
        fields.error("entraID", message);
    }
    let token_source = fields.map("tokenSource", TokenSource::read);
    let asked = asked.unwrap_or_default();
    let client = read_for(fields, asked.wanted, Whose::Gateways(asked.proof))?;
    for name in client.parameters.0.keys() {
        if WRITTEN.contains(&name.as_str()) {
            let key = format!("parameters.{name}");
            fields.error(&key, "this field is the middleware's own");
        }
    }
    // The finding about what is missing closes the route.
    client.credentials.as_ref()?;
    Some(OAuthTokenExchange {
        client,
        method: asked.method,
        token_source: token_source.unwrap_or_else(TokenSource::authorization),
    })
}

fn rfc8693(fields: &mut Fields<'_>) -> Asked {
    let subject_token_type = token_type(fields, "subjectTokenType");
    let requested_token_type = token_type(fields, "requestedTokenType");
    if requested_token_type.as_deref() == Some(REFRESH_TOKEN) {
        let message = "services take access tokens, no refresh tokens";
        fields.error("requestedTokenType", message);
    }
    let actor = secret(fields, "actorToken");
    let actor_type = token_type(fields, "actorTokenType");
    if actor.is_none() && actor_type.is_some() {
        fields.error("actorTokenType", "is there without an `actorToken`");
    }
    let wanted = Wanted {
        audience: fields.text("audience").unwrap_or_default(),
        scopes: scopes(fields),
        resources: resources(fields),
    };
    let or_access_token = |kind: Option<String>| kind.unwrap_or_else(|| ACCESS_TOKEN.to_owned());
    Asked {
        wanted,
        method: Method::Rfc8693(Rfc8693 {
            subject_token_type: or_access_token(subject_token_type),
            requested_token_type,
            actor: actor.map(|token| Actor {
                token,
                token_type: or_access_token(actor_type),
            }),
        }),
        proof: None,
    }
}

/// A type of tokens: an absolute URI (RFC 8693, section 3).
fn token_type(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let text = fields.text(key).filter(|text| !text.is_empty())?;
    if Url::parse(&text).is_err() {
        let message = "expects a URI, like `urn:ietf:params:oauth:token-type:jwt`";
        fields.error(key, message);
    }
    Some(text)
}

/// `None` when there is nothing to ask for.
fn entra_id(fields: &mut Fields<'_>) -> Option<Asked> {
    let scopes = scopes(fields);
    let proof = fields.section("certificate", own_certificate).flatten();
    if scopes.is_empty() {
        let message = "`scopes` is missing: those of the service, like `api://orders/.default`";
        fields.error("scopes", message);
        return None;
    }
    Some(Asked {
        wanted: Wanted {
            audience: String::new(),
            scopes,
            resources: Vec::new(),
        },
        method: Method::EntraId,
        proof,
    })
}

/// A certificate that is registered with Entra ID, whose key signs assertions as it wants them.
fn own_certificate(fields: &mut Fields<'_>) -> Option<Proof> {
    let certificate = certificate(fields, "cert");
    let key: Option<SecretString> = secret(fields, "key");
    for (name, is_there) in [("cert", certificate.is_some()), ("key", key.is_some())] {
        if !is_there {
            fields.error(name, format!("`{name}` is missing, as PEM"));
        }
    }
    let key = SigningKey {
        option: "entraID.certificate.key",
        key: key?,
        algorithm: Some("PS256"),
        key_id: None,
        certificate: Some(certificate?),
    };
    Some(Proof::KeyJwt(key, None))
}

/// By RFC 8693, with whatever the server gives.
impl Default for Asked {
    fn default() -> Self {
        Self {
            wanted: Wanted::default(),
            method: Method::Rfc8693(Rfc8693 {
                subject_token_type: ACCESS_TOKEN.to_owned(),
                requested_token_type: None,
                actor: None,
            }),
            proof: None,
        }
    }
}
