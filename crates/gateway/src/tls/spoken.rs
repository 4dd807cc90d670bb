//! Versions and cipher suites of handshakes, with clients and with servers alike.

use carnet_config::routing::tls::{CipherSuite, Spoken, TlsVersion};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// The cryptography of such handshakes.
pub(crate) fn provider(spoken: &Spoken) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    choose_suites(&mut provider, &spoken.cipher_suites);
    provider
}

/// Their versions.
pub(crate) fn versions(spoken: &Spoken) -> Vec<&'static SupportedProtocolVersion> {
    let wanted = spoken.min_version..=spoken.max_version;
    let all = [(TlsVersion::Tls12, &TLS12), (TlsVersion::Tls13, &TLS13)];
    let spoken = all.into_iter().filter(|(named, _)| wanted.contains(named));
    spoken.map(|(_, version)| version).collect()
}

/// Those of TLS 1.3 are not a matter of choice (as in Go).
fn choose_suites(provider: &mut CryptoProvider, wanted: &[CipherSuite]) {
    if wanted.is_empty() {
        return;
    }
    let chosen = wanted.iter().copied().map(suite);
    let fixed = provider.cipher_suites.iter().copied();
    let fixed = fixed.filter(|suite| suite.tls13().is_some());
    provider.cipher_suites = fixed.chain(chosen).collect();
}

fn suite(suite: CipherSuite) -> SupportedCipherSuite {
    match suite {
        CipherSuite::EcdheEcdsaAes256GcmSha384 => {
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        }
        CipherSuite::EcdheEcdsaAes128GcmSha256 => {
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        }
        CipherSuite::EcdheEcdsaChacha20Poly1305 => {
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
        CipherSuite::EcdheRsaAes256GcmSha384 => cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::EcdheRsaAes128GcmSha256 => cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::EcdheRsaChacha20Poly1305 => {
            cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        }
    }
}
