//! How an authorization server is reached.

use std::sync::Arc;

use carnet_config::routing::middleware::OAuthClientCredentials as Options;
use carnet_config::routing::middleware::oauth_client_credentials::{KeysAt, Store as StoreOptions};

use crate::jwks::{HttpKeys, Place};
use crate::middleware::client_config;
use crate::supplies::Supplies;
use crate::token_source::{Feed, HttpEndpoint, Proof, Server, Shared, Verifier, proof_parts};

/// The server of these options. The error is one sentence.
pub(super) fn of(options: &Options, supplies: &Supplies) -> Result<Server, String> {
    let client = client_config::client(&options.client_config, supplies)?;
    let stream = options.revocations.as_ref();
    let feed = stream.map(|stream| {
        let bearer = stream.bearer.as_ref();
        Feed::new(&stream.url, bearer, client.clone())
    });
    let verifier = options.verify.as_ref().map(|verify| {
        let place = match &verify.keys {
            KeysAt::Jwks(url) => Place::Set(url.clone()),
            KeysAt::Discovery(url) => Place::Metadata(url.clone()),
        };
        // The call that waits for it has an end of its own, and is repeated by whoever made it.
        let keys = HttpKeys::new(place, client.clone(), options.client_config.timeout, 0);
        Verifier::new(Arc::new(keys), verify.issuer.clone(), &verify.audience)
    });
    let proof = Proof::of(options)?;
    let shared = options.store.as_ref();
    let certificate = options.client_config.tls.cert.as_deref();
    let parts = proof_parts(&proof, certificate);
    let shared = shared.map(|store| shared_store(store, parts, supplies));
    Ok(Server {
        endpoint: Arc::new(HttpEndpoint::new(&options.url, client)?),
        proof,
        feed: feed.transpose()?,
        verifier,
        shared: shared.transpose()?,
    })
}

/// The store that other gateways use too.
fn shared_store(
    options: &StoreOptions,
    proof: Vec<Vec<u8>>,
    supplies: &Supplies,
) -> Result<Shared, String> {
    let stores = &supplies.providers.stores;
    let store = stores.of(&options.redis, &supplies.resolve)?;
    Shared::new(store, &options.key_prefix, &options.secrets.0, proof)
}
