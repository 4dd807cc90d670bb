//! From options to what signatures are verified with.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use carnet_config::routing::Pem;
use carnet_config::routing::middleware::Jwt as Options;
use carnet_config::routing::middleware::jwt::{Keys as KeysOption, SigningSecret};
use carnet_jose::{Jwk, JwkSet, SharedSecret};
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;

use crate::jwks::{Fixed, Place, Published, Trusted};
use crate::middleware::client_config;
use crate::supplies::Supplies;

/// The error is one sentence.
pub(super) fn of(options: &Options, supplies: &Supplies) -> Result<Trusted, String> {
    Ok(match &options.keys {
        KeysOption::Secret(secret) => Trusted::Fixed(Fixed::Secret(Box::new(shared(secret)?))),
        KeysOption::PublicKey(pem) => {
            let key = Jwk::from_pem(text(pem)?.as_bytes());
            let key = key.map_err(|error| format!("`publicKey` cannot be used: {error}"))?;
            Trusted::Fixed(Fixed::Key(Box::new(key)))
        }
        KeysOption::File(set) => Trusted::Fixed(Fixed::Set(Arc::new(set_of(text(set)?)?))),
        KeysOption::Url(url) => fetched(Place::Set(url.clone()), options, supplies)?,
        KeysOption::Discovery(url) => fetched(Place::Metadata(url.clone()), options, supplies)?,
    })
}

fn text(pem: &Pem) -> Result<&str, String> {
    pem.text()
        .ok_or_else(|| "the file with the keys was not read".to_owned())
}

fn shared(secret: &SigningSecret) -> Result<SharedSecret, String> {
    let text = secret.text.expose_secret();
    if !secret.is_base64 {
        return Ok(SharedSecret::new(text.as_bytes()));
    }
    match STANDARD.decode(text.trim()).map(Zeroizing::new) {
        Ok(bytes) if !bytes.is_empty() => Ok(SharedSecret::new(&bytes)),
        _ => Err("`signingSecret` is no base64".to_owned()),
    }
}

fn set_of(text: &str) -> Result<Published, String> {
    let read = JwkSet::read(text.as_bytes());
    let (keys, rejected) =
        read.map_err(|error| format!("`jwksFile` is no set of keys: {error}"))?;
    if keys.keys().is_empty() {
        return Err("`jwksFile` has no key that can be used".to_owned());
    }
    if rejected > 0 {
        tracing::warn!(
            count = rejected,
            "keys of `jwksFile` that are too weak are not used"
        );
    }
    Ok(Published {
        keys,
        rejected,
        ..Published::default()
    })
}

fn fetched(place: Place, options: &Options, supplies: &Supplies) -> Result<Trusted, String> {
    client_config::keys(&place, &options.client_config, supplies).map(Trusted::Fetched)
}
