//! Judges of servers' certificates that are not the TLS library's own.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Takes whatever is shown.
pub(super) fn of_any_certificate(provider: Arc<CryptoProvider>) -> Arc<dyn ServerCertVerifier> {
    Arc::new(AnyCertificate(provider))
}

/// Takes what an authority has signed and what has this URI: for the host that was asked for, or
/// for any. The error is one sentence.
pub(super) fn of_uri(
    uri: &str,
    is_any_host: bool,
    (roots, provider): (Arc<RootCertStore>, Arc<CryptoProvider>),
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let authorities = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    Ok(Arc::new(OfUri {
        uri: uri.to_owned(),
        is_any_host,
        authorities: authorities
            .map_err(|error| format!("no certificate can be verified: {error}"))?,
    }))
}

/// `peerCertURI`.
#[derive(Debug)]
struct OfUri {
    uri: String,
    is_any_host: bool,
    authorities: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for OfUri {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // The name is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.is_any_host => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        match has_uri(end_entity, &self.uri) {
            true => Ok(ServerCertVerified::assertion()),
            false => {
                let uri = &self.uri;
                let cause = format!("the certificate does not have the URI `{uri}`");
                Err(Error::General(cause))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Whether a certificate names this URI, whatever the case of letters (as Traefik compares them).
fn has_uri(certificate: &CertificateDer<'_>, uri: &str) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    let mut names = alternatives
        .iter()
        .flat_map(|names| &names.value.general_names);
    names.any(|name| matches!(name, GeneralName::URI(own) if own.eq_ignore_ascii_case(uri)))
}

/// `insecureSkipVerify`: the peer proves that it has the key of its certificate, and nothing else.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
