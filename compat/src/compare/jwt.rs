//! What a JWT says. Its signature is only measured: `jose verify` and others verify.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::pattern::Values;
use super::{Finding, json};
use crate::scenario::Jwt;

/// Tells what differs between a JWT and what is expected of it.
pub(super) fn compare(
    at: &str,
    expected: &Jwt,
    found: Option<&str>,
    values: &Values,
    findings: &mut Vec<Finding>,
) {
    let Some(decoded) = found.and_then(decode) else {
        findings.push(Finding::new(at, "a JWT", found.unwrap_or("nothing")));
        return;
    };
    let header = format!("{at}.header");
    json::compare(&header, &expected.header, &decoded.header, values, findings);
    let claims = format!("{at}.claims");
    json::compare(&claims, &expected.claims, &decoded.claims, values, findings);
    if expected.signature_bytes != decoded.signature_bytes {
        findings.push(Finding::new(
            &format!("{at}.signature_bytes"),
            expected.signature_bytes,
            decoded.signature_bytes,
        ));
    }
    if expected.exp_minus_iat.is_some() && expected.exp_minus_iat != decoded.exp_minus_iat {
        let seconds = |lifetime: Option<i64>| lifetime.map_or("none".into(), |s| s.to_string());
        findings.push(Finding::new(
            &format!("{at}.exp_minus_iat"),
            seconds(expected.exp_minus_iat),
            seconds(decoded.exp_minus_iat),
        ));
    }
}

fn decode(token: &str) -> Option<Jwt> {
    let mut parts = token
        .split('.')
        .map(|part| BASE64_URL_SAFE_NO_PAD.decode(part));
    let header = serde_json::from_slice(&parts.next()?.ok()?).ok()?;
    let claims: Value = serde_json::from_slice(&parts.next()?.ok()?).ok()?;
    let signature_bytes = parts.next()?.ok()?.len();
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let exp_minus_iat = time("exp").zip(time("iat")).map(|(exp, iat)| exp - iat);
    Some(Jwt {
        header,
        claims,
        signature_bytes,
        exp_minus_iat,
    })
}
