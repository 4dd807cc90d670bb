//! A Basic header: every reading of it can be written, and is then read again.
#![no_main]

use carnet_oauth::client_auth::Basic;
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret as _;

fuzz_target!(|header: &[u8]| {
    let Some(basic) = Basic::parse(header) else {
        return;
    };
    assert!((1..=2).contains(&basic.readings.len()));
    for credentials in basic.readings {
        let written = Basic::format(&credentials);
        let read = Basic::parse(written.expose_secret().as_bytes());
        let readings = read.map(|basic| basic.readings).unwrap_or_default();
        assert!(readings.iter().any(|reading| {
            reading.id == credentials.id
                && reading.secret.expose_secret() == credentials.secret.expose_secret()
        }));
    }
});
