//! `clientConfig.tls`: TLS towards a server that a middleware asks.

use carnet_config::routing::middleware::oauth_client_credentials::ClientTls;

use crate::upstream::{ClientCertificate, Tls};

/// What a client is made with.
pub(super) fn client_tls(options: &ClientTls) -> Tls {
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
