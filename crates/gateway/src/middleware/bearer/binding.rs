//! Whom a token is bound to (`cnf`, RFC 7800): a certificate that the client shows in its handshake
//! (RFC 8705), or a key by which it proves each request (RFC 9449).

use aws_lc_rs::digest;
use carnet_jose::base64url;
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
    /// Something that is not understood: nobody can show it.
    Unknown,
}

impl Binding {
    /// What a token says of itself (`cnf`). A binding that is not understood, or stands beside another, is
    /// none that could be left out.
    pub(in crate::middleware) fn of(confirmation: Option<&Value>) -> Self {
        let Some(confirmation) = confirmation else {
            return Self::Nobody;
        };
        let Value::Object(members) = confirmation else {
            return Self::Unknown;
        };
        let mut members = members.iter();
        match (members.next(), members.next()) {
            (Some((name, Value::String(text))), None) if name == "x5t#S256" => {
                Self::Certificate(text.clone())
            }
            (Some((name, Value::String(text))), None) if name == "jkt" => Self::Key(text.clone()),
            _ => Self::Unknown,
        }
    }

    /// Why this request may not use the token, if so. Whether a key was proved is for others to say.
    pub(in crate::middleware) fn refusal(
        &self,
        scheme: Scheme,
        exchange: &Exchange,
    ) -> Option<&'static str> {
        match self {
            Self::Nobody if scheme == Scheme::Bearer => None,
            Self::Nobody => Some("the token is bound to no key, and was sent as one that is"),
            Self::Certificate(_) if scheme != Scheme::Bearer => {
                Some("the token is bound to no key, and was sent as one that is")
            }
            Self::Certificate(digest) => match shown(exchange) {
                None => Some("the token is bound to a certificate, and none was shown"),
                Some(shown) if shown == *digest => None,
                Some(_) => Some("the token is bound to another certificate"),
            },
            Self::Key(_) if scheme == Scheme::Dpop => None,
            Self::Key(_) => Some("the token is bound to a key, and was sent without a proof of it"),
            Self::Unknown => Some("the token is bound to something that is not understood"),
        }
    }
}

/// The digest of the client's certificate.
fn shown(exchange: &Exchange) -> Option<String> {
    let session = exchange.connection().tls.as_ref()?;
    let certificate = session.certificates().first()?;
    Some(base64url::encode(digest::digest(
        &digest::SHA256,
        certificate.as_ref(),
    )))
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
                Binding::Unknown,
            ),
            (json!({"cnf": ["x5t#S256"]}), Binding::Unknown),
        ] {
            assert_eq!(Binding::of(claims.get("cnf")), binding, "{claims}");
        }
    }
}
