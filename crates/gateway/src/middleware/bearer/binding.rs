//! Whom a token is bound to (`cnf`, RFC 7800): a certificate that the client shows in its handshake
//! (RFC 8705), or a key by which it proves each request (RFC 9449).

use carnet_oauth::confirmation;
use serde_json::Value;

use super::Scheme;
use crate::middleware::Exchange;

/// Who may use a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::middleware) enum Binding {
    /// Whoever has it.
    Nobody,
    /// Who shows the certificate with this digest.
    Certificate(String),
    /// Who has the key with this thumbprint.
    Key(String),
    /// Who shows this certificate and has this key.
    Both { certificate: String, key: String },
    /// Something that is not understood: nobody can show it.
    Unknown,
}

impl Binding {
    /// What a token says of itself (`cnf`). All that it says has to be met: what is not understood is
    /// none that could be left out.
    pub(in crate::middleware) fn of(confirmation: Option<&Value>) -> Self {
        let Some(confirmation) = confirmation else {
            return Self::Nobody;
        };
        let Value::Object(members) = confirmation else {
            return Self::Unknown;
        };
        let text = |name| members.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("x5t#S256"), text("jkt"), members.len()) {
            (Some(certificate), None, 1) => Self::Certificate(certificate),
            (None, Some(key), 1) => Self::Key(key),
            (Some(certificate), Some(key), 2) => Self::Both { certificate, key },
            _ => Self::Unknown,
        }
    }

    /// The thumbprint of the key that has to be proved.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) | Self::Both { key, .. } => Some(key),
            Self::Nobody | Self::Certificate(_) | Self::Unknown => None,
        }
    }

    /// The digest of the certificate that has to be shown.
    fn certificate(&self) -> Option<&str> {
        match self {
            Self::Certificate(digest) => Some(digest),
            Self::Both { certificate, .. } => Some(certificate),
            Self::Nobody | Self::Key(_) | Self::Unknown => None,
        }
    }

    /// Why this request may not use the token, if so. Whether a key was proved is for others to say.
    pub(in crate::middleware) fn refusal(
        &self,
        scheme: Scheme,
        exchange: &Exchange,
    ) -> Option<&'static str> {
        if *self == Self::Unknown {
            return Some("the token is bound to something that is not understood");
        }
        match (self.key(), scheme) {
            (Some(_), Scheme::Dpop) | (None, Scheme::Bearer) => {}
            (Some(_), Scheme::Bearer) => {
                return Some("the token is bound to a key, and was sent without a proof of it");
            }
            (None, Scheme::Dpop) => {
                return Some("the token is bound to no key, and was sent as one that is");
            }
        }
        let digest = self.certificate()?;
        match shown(exchange) {
            None => Some("the token is bound to a certificate, and none was shown"),
            Some(shown) if shown == digest => None,
            Some(_) => Some("the token is bound to another certificate"),
        }
    }
}

/// The digest of the client's certificate.
fn shown(exchange: &Exchange) -> Option<String> {
    let session = exchange.connection().tls.as_ref()?;
    let certificate = session.certificates().first()?;
    Some(confirmation::of_certificate(certificate))
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::json;

    #[test]
    fn a_binding_that_is_not_understood_is_not_left_out() {
        for (claims, binding) in [
            (json!({}), Binding::Nobody),
            (
                json!({"cnf": {"x5t#S256": "a"}}),
                Binding::Certificate("a".to_owned()),
            ),
            (json!({"cnf": {"jkt": "a"}}), Binding::Key("a".to_owned())),
            (json!({"cnf": null}), Binding::Unknown),
            (json!({"cnf": {}}), Binding::Unknown),
            (json!({"cnf": {"jkt": 1}}), Binding::Unknown),
            (json!({"cnf": {"jwk": {}}}), Binding::Unknown),
            (
                json!({"cnf": {"jkt": "a", "x5t#S256": "b"}}),
                Binding::Both {
                    certificate: "b".to_owned(),
                    key: "a".to_owned(),
                },
            ),
            (json!({"cnf": {"jkt": "a", "jku": "b"}}), Binding::Unknown),
            (
                json!({"cnf": {"jkt": "a", "x5t#S256": 1}}),
                Binding::Unknown,
            ),
            (
                json!({"cnf": {"jkt": "a", "x5t#S256": "b", "kid": "c"}}),
                Binding::Unknown,
            ),
            (json!({"cnf": ["x5t#S256"]}), Binding::Unknown),
        ] {
            assert_eq!(Binding::of(claims.get("cnf")), binding, "{claims}");
        }
    }
}
