//! Certificates and keys, out of their files or of the configuration itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use carnet_authserver::{ClientAuthorities, TlsOptions};
use carnet_config::install::authserver::{Pem, Tls};
use secrecy::{ExposeSecret, SecretString};

use crate::output::Failure;

/// Hydra says without padding and reads with it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The right of others to read.
const FOR_OTHERS: u32 = 0o004;

/// What TLS of a port needs. `port` is the key of the port.
pub(super) fn read(port: &str, tls: &Tls) -> Result<TlsOptions, Failure> {
    let certificate = text(&format!("{port}.tls.cert"), &tls.certificate)?;
    if let Pem::Path(path) = &tls.key {
        tell_open(path);
    }
    Ok(TlsOptions {
        certificate: certificate.expose_secret().to_owned(),
        key: text(&format!("{port}.tls.key"), &tls.key)?,
        allow_termination_from: tls.allow_termination_from.clone(),
    })
}

/// The authorities that vouch for clients.
pub(super) fn authorities(pem: &Pem) -> Result<ClientAuthorities, Failure> {
    let key = "oauth2.mtls.client_ca";
    let text = text(key, pem)?;
    ClientAuthorities::from_pem(text.expose_secret())
        .map_err(|error| Failure::new(format!("{key}: {error}")))
}

/// Hydra serves with such a key, and clusters mount Secrets so: it is told of, not refused.
fn tell_open(path: &str) {
    let mode = fs::metadata(path).map_or(0, |about| about.permissions().mode());
    if mode & FOR_OTHERS != 0 {
        tracing::warn!(
            file = path,
            "everybody on this machine can read this key; chmod 600 it"
        );
    }
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
