//! Certificates and keys, out of their files or of the configuration itself.

use std::fs;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use carnet_authserver::TlsOptions;
use carnet_config::install::authserver::{Pem, Tls};
use secrecy::{ExposeSecret, SecretString};

use crate::output::Failure;

/// Hydra says without padding and reads with it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What TLS of a port needs. `port` is the key of the port.
pub(super) fn read(port: &str, tls: &Tls) -> Result<TlsOptions, Failure> {
    let certificate = text(&format!("{port}.tls.cert"), &tls.certificate)?;
    Ok(TlsOptions {
        certificate: certificate.expose_secret().to_owned(),
        key: text(&format!("{port}.tls.key"), &tls.key)?,
        allow_termination_from: tls.allow_termination_from.clone(),
    })
}

fn text(key: &str, pem: &Pem) -> Result<SecretString, Failure> {
    match pem {
        Pem::Path(path) => fs::read_to_string(path)
            .map(SecretString::from)
            .map_err(|error| Failure::new(format!("{key}.path: {path} cannot be read: {error}"))),
        Pem::Base64(encoded) => {
            let packed: String = encoded.expose_secret().split_whitespace().collect();
            let bytes = BASE64.decode(packed).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            text.map(SecretString::from).ok_or_else(|| {
                Failure::new(format!(
                    "{key}.base64: is no base64 of PEM; make it with `base64 -w0 FILE`"
                ))
            })
        }
    }
}
