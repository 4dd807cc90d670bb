//! A client assertion, as text and as its parts: what is fit names a client, a use and an end that
//! lies neither behind nor further than a day ahead, and is for this server.
#![no_main]

use carnet_jose::base64url;
use carnet_oauth::client_assertion::{AssertionAudience, ClientAssertion, Expected};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_795_694_400;

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        check(text);
    }
    let (header, claims) = match input.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (&br#"{"alg":"RS256"}"#[..], input),
    };
    check(&format!(
        "{}.{}.AA",
        base64url::encode(header),
        base64url::encode(claims)
    ));
});

fn check(text: &str) {
    let Some(assertion) = ClientAssertion::read(text) else {
        return;
    };
    let audiences = ["https://i.example", "https://i.example/oauth2/token"].map(str::to_owned);
    let expected = |audience, now| Expected {
        algorithm: "RS256",
        audiences: &audiences,
        audience,
        now,
    };
    let lax = AssertionAudience::Endpoint;
    let fit = assertion.check(&expected(lax, NOW));
    if let Some(fit) = &fit {
        assert!(!fit.jti.is_empty() && !assertion.subject().is_empty());
        assert!(fit.until > NOW && fit.until <= NOW + 24 * 3600 + 10);
        assert!(text.len() > "https://i.example".len());
    }
    // Whatever is strictly fit is fit.
    let strict = assertion.check(&expected(AssertionAudience::Issuer, NOW));
    let text = assertion.check(&expected(AssertionAudience::IssuerText, NOW));
    assert!(strict.is_none() || fit.is_some());
    assert!(text.is_none() || strict.is_some());
    for now in [i64::MIN, -1, 0, i64::MAX] {
        let _ = assertion.check(&expected(lax, now));
    }
}
