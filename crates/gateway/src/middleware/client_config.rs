//! `clientConfig`: how a middleware asks a server.

use std::sync::Arc;

use carnet_config::routing::middleware::oauth_client_credentials::{ClientConfig, ClientTls};

use crate::jwks::{HttpKeys, Keys, Place};
use crate::supplies::Supplies;
use crate::upstream::{Client, ClientCertificate, Tls, Transport};

/// The client that asks. The error is one sentence.
pub(super) fn client(options: &ClientConfig, supplies: &Supplies) -> Result<Client, String> {
    let transport = Transport {
        tls: tls(&options.tls),
        ..Transport::default()
    };
    Client::new(&transport, Arc::clone(&supplies.resolve))
}

/// The keys of a place, fetched once for all who want them in the same way. The error is one sentence.
pub(super) fn keys(
    place: &Place,
    options: &ClientConfig,
    supplies: &Supplies,
) -> Result<Keys, String> {
    supplies.providers.key_sets.of((place, options), || {
        let client = client(options, supplies)?;
        let (patience, retries) = (options.timeout, options.max_retries);
        Ok(HttpKeys::new(place.clone(), client, patience, retries))
    })
}

fn tls(options: &ClientTls) -> Tls {
    let pair = options.cert.as_ref().zip(options.key.as_ref());
    Tls {
        insecure_skip_verify: options.insecure_skip_verify,
        root_cas: options.ca.iter().cloned().collect(),
        client_certificates: pair
            .map(|(cert, key)| ClientCertificate {
                cert: cert.clone(),
                key: key.clone(),
            })
            .into_iter()
            .collect(),
        ..Tls::default()
    }
}
