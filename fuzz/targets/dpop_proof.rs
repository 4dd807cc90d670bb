//! A proof of possession, as text and as its parts: none that is not signed is right, and what is
//! read of it holds for any time.
#![no_main]

use carnet_jose::base64url;
use carnet_oauth::dpop::{self, Expected, Nonces};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_795_694_400;

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        check(text);
    }
    let (header, claims) = match input.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (&br#"{"typ":"dpop+jwt","alg":"ES256"}"#[..], input),
    };
    for signature in ["", "AA", SIGNATURE] {
        check(&format!(
            "{}.{}.{signature}",
            base64url::encode(header),
            base64url::encode(claims)
        ));
    }
});

/// As long as one of ES256, and of nobody.
const SIGNATURE: &str =
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";

fn check(text: &str) {
    let uris = ["https://as.example/oauth2/token".to_owned()];
    let nonces = Nonces::new([b"key"]);
    for now in [i64::MIN, -1, 0, NOW, i64::MAX] {
        let proven = dpop::verify(
            text,
            &Expected {
                method: "POST",
                uris: &uris,
                access_token: None,
                nonces: Some(&nonces),
                needs_nonce: false,
                now,
            },
        );
        if let Ok(proven) = proven {
            // Nobody is expected to find one whose signature is right.
            assert_eq!((proven.name.len(), proven.thumbprint.len()), (43, 43));
        }
        let _ = nonces.accepts(text, now);
    }
}
