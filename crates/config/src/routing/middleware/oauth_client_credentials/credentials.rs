//! `clientID` and what shows that the gateway is this client.

use secrecy::{ExposeSecret as _, SecretString};

use super::read::certificate;
use super::{Credentials, Proof, SigningKey, Whose};
use crate::document::Fields;
use crate::secret::{credential, secret};

/// What a PEM key may sign with: those of RFC 7518 and RFC 8037 that sign with a private key.
const ALGORITHMS: [(&str, &str); 10] = [
    ("RS256", "RS256"),
    ("RS384", "RS384"),
    ("RS512", "RS512"),
    ("PS256", "PS256"),
    ("PS384", "PS384"),
    ("PS512", "PS512"),
    ("ES256", "ES256"),
    ("ES384", "ES384"),
    ("ES512", "ES512"),
    ("EdDSA", "EdDSA"),
];

/// `clientAssertion`.
struct Assertion {
    key: Option<SigningKey>,
    token: Option<SecretString>,
    audience: Option<String>,
}

/// Reads the gateway's own credentials; `None`: callers bring theirs. Half a pair is an error: it
/// would quietly mean the other mode.
pub(super) fn read(
    fields: &mut Fields<'_>,
    has_certificate: bool,
    whose: Whose,
) -> Option<(Credentials, Proof)> {
    let is_named = fields.has("clientID") || fields.has("clientSecret");
    let client_id = credential(fields, "clientID");
    let client_secret = secret(fields, "clientSecret");
    let assertion = fields.section("clientAssertion", |fields| Assertion {
        key: signing_key(fields),
        token: secret(fields, "token"),
        audience: fields.text("audience").filter(|text| !text.is_empty()),
    });
    let elsewhere = match (whose, &client_id) {
        (Whose::Gateways(proof), Some(_)) => proof,
        (Whose::Gateways(_), None) => {
            let message = "`clientID` is missing: callers' tokens are exchanged by a client";
            fields.error("clientID", message);
            return None;
        }
        (Whose::Callers, _) => None,
    };
    let Some(client_id) = client_id else {
        refuse_without_id(
            fields,
            is_named,
            client_secret.is_some(),
            assertion.is_some(),
        );
        return None;
    };
    let has_secret = client_secret.is_some();
    let proof = match (assertion, elsewhere) {
        (Some(assertion), None) => signed(fields, assertion, has_secret)?,
        (None, Some(proof)) if !has_secret => proof,
        (_, Some(_)) => {
            let message = "a certificate shows who the client is; leave out `clientSecret` and \
                           `clientAssertion`";
            fields.error("clientID", message);
            return None;
        }
        (None, None) if has_secret => Proof::Secret,
        (None, None) if has_certificate => Proof::Certificate,
        (None, None) => {
            let message = "`clientID` needs a `clientSecret`; set both or neither";
            fields.error("clientSecret", message);
            return None;
        }
    };
    let credentials = Credentials {
        client_id,
        client_secret: client_secret.unwrap_or_default(),
    };
    Some((credentials, proof))
}

/// `key` with `algorithm` and `keyID`, which only PEM needs.
fn signing_key(fields: &mut Fields<'_>) -> Option<SigningKey> {
    let key = secret(fields, "key");
    let algorithm = fields.word("algorithm", &ALGORITHMS);
    let key_id = fields.text("keyID").filter(|text| !text.is_empty());
    let certificate = certificate(fields, "certificate");
    let is_pem = |key: &SecretString| key.expose_secret().contains("-----BEGIN ");
    for (name, is_set) in [
        ("algorithm", algorithm.is_some()),
        ("keyID", key_id.is_some()),
        ("certificate", certificate.is_some()),
    ] {
        if is_set && !key.as_ref().is_some_and(is_pem) {
            fields.error(name, "is for a `key` in PEM; a JWK says it itself");
        }
    }
    Some(SigningKey {
        option: "clientAssertion.key",
        key: key?,
        algorithm,
        key_id,
        certificate,
    })
}

fn refuse_without_id(fields: &mut Fields<'_>, is_named: bool, secret: bool, assertion: bool) {
    if assertion {
        let message = "`clientAssertion` needs a `clientID`: callers cannot sign";
        fields.error("clientID", message);
    } else if secret {
        let message = "`clientSecret` needs a `clientID`; set both or neither";
        fields.error("clientID", message);
    } else if is_named {
        let message = "`clientID` and `clientSecret` are empty: callers bring their own \
                       credentials";
        fields.warn("clientID", message);
    }
}

fn signed(fields: &mut Fields<'_>, assertion: Assertion, has_secret: bool) -> Option<Proof> {
    let Assertion {
        key,
        token,
        audience,
    } = assertion;
    match (key, token, has_secret) {
        (Some(key), None, false) => Some(Proof::KeyJwt(key, audience)),
        (None, Some(token), false) => Some(Proof::Assertion(token)),
        (None, None, true) => Some(Proof::SecretJwt(audience)),
        _ => {
            let message = "expects one of `key`, `token` and, beside it, `clientSecret`";
            fields.error("clientAssertion", message);
            None
        }
    }
}
