//! TLS options, ready for handshakes.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use carnet_config::routing::tls::{Curve, TlsOptions};
use carnet_oauth::Clock;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    NoServerSessionStorage, ProducesTickets, ServerSessionMemoryCache, StoresServerSessions,
};
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

use super::certificates::{Certificates, Choice};
use super::{client_auth, spoken};

/// Sessions kept for clients that take no ticket.
const SESSIONS: usize = 1024;

/// Options under which connections are made. Two connections are under the same ones when they
/// have the same `Policy`; sessions are resumed under it alone, so that nobody resumes past
/// a certificate that is asked for now.
pub(crate) struct Policy {
    options: TlsOptions,
    provider: Arc<CryptoProvider>,
    time: Arc<Time>,
    verifier: Arc<dyn ClientCertVerifier>,
    sessions: Arc<dyn StoresServerSessions>,
    tickets: Option<Arc<dyn ProducesTickets>>,
}

impl Policy {
    /// Checks the options. The error is one sentence.
    pub(crate) fn new(options: &TlsOptions, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let mut provider = spoken::provider(&options.spoken);
        if !options.curve_preferences.is_empty() {
            let groups = options.curve_preferences.iter().copied().map(group);
            provider.kx_groups = groups.collect();
        }
        let provider = Arc::new(provider);
        let tickets = match options.disable_session_tickets {
            true => None,
            false => {
                let made = aws_lc_rs::Ticketer::new();
                Some(made.map_err(|error| format!("no session tickets: {error}"))?)
            }
        };
        let sessions: Arc<dyn StoresServerSessions> = match options.disable_session_tickets {
            true => Arc::new(NoServerSessionStorage {}),
            false => ServerSessionMemoryCache::new(SESSIONS),
        };
        Ok(Self {
            verifier: client_auth::verifier(&options.client_auth, &provider)?,
            options: options.clone(),
            provider,
            time: Arc::new(Time(clock)),
            sessions,
            tickets,
        })
    }

    /// Whether every connection under it has shown a certificate.
    pub(crate) fn requires_certificate(&self) -> bool {
        self.options.client_auth.kind.requires()
    }

    /// What handshakes need, with the certificates of a snapshot.
    pub(crate) fn server_config(
        &self,
        certificates: &Arc<Certificates>,
    ) -> Result<Arc<ServerConfig>, String> {
        let (provider, time) = (Arc::clone(&self.provider), Arc::clone(&self.time));
        let mut config = ServerConfig::builder_with_details(provider, time)
            .with_protocol_versions(&spoken::versions(&self.options.spoken))
            .map_err(|error| format!("these TLS options allow no connection: {error}"))?
            .with_client_cert_verifier(Arc::clone(&self.verifier))
            .with_cert_resolver(Arc::new(Choice {
                certificates: Arc::clone(certificates),
                is_strict: self.options.sni_strict,
            }));
        let protocols = self.options.alpn_protocols.iter();
        config.alpn_protocols = protocols.map(|p| p.clone().into_bytes()).collect();
        config.session_storage = Arc::clone(&self.sessions);
        match &self.tickets {
            Some(tickets) => config.ticketer = Arc::clone(tickets),
            None => config.send_tls13_tickets = 0,
        }
        Ok(Arc::new(config))
    }
}

/// The time by which certificates have expired.
#[derive(Debug)]
struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let since = self.0.now().duration_since(SystemTime::UNIX_EPOCH);
        Some(UnixTime::since_unix_epoch(since.ok()?))
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&self.options).finish()
    }
}

fn group(curve: Curve) -> &'static dyn SupportedKxGroup {
    match curve {
        Curve::X25519 => kx_group::X25519,
        Curve::CurveP256 => kx_group::SECP256R1,
        Curve::CurveP384 => kx_group::SECP384R1,
        Curve::X25519Mlkem768 => kx_group::X25519MLKEM768,
    }
}
