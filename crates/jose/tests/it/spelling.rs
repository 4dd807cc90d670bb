//! One text, one meaning: every other spelling of a token is refused.

use carnet_jose::{Algorithm, Jwk, JwkSet, PrivateKey, RsaBits, TokenError, base64url, jws, jwt};

fn key() -> (PrivateKey, JwkSet) {
    let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "k").unwrap();
    let set = JwkSet::new(vec![key.public_jwk().clone()]);
    (key, set)
}

fn signed(key: &PrivateKey, header: &str, payload: &str) -> String {
    jws::sign_compact(key, header, payload.as_bytes()).unwrap()
}

// Holds JW-05.
#[test]
fn no_other_spelling_of_any_part_is_read() {
    let (key, set) = key();
    // A payload of one byte more than three: two bits of its last character mean nothing.
    let compact = signed(&key, r#"{"alg":"ES256"}"#, r#"{"a":1} "#);
    assert!(jws::verify(&compact, &set).is_ok());
    let parts: Vec<&str> = compact.split('.').collect();
    let mut tried = 0;
    for at in 0..3 {
        for changed in spellings(parts[at]) {
            let mut parts = parts.clone();
            parts[at] = &changed;
            let error = jws::verify(&parts.join("."), &set).unwrap_err();
            let is_refused = match at {
                // Where the spelling is another text, the signature is over another text too.
                1 => matches!(error, TokenError::Signature),
                _ => matches!(error, TokenError::Base64 | TokenError::Json),
            };
            assert!(is_refused, "{changed:?}: {error:?}");
            tried += 1;
        }
    }
    assert!(tried > 60);
}

/// The text with padding, white space, the other alphabet, escapes, and bits that mean nothing.
fn spellings(text: &str) -> Vec<String> {
    let (first, rest) = text.split_at(1);
    let mut spellings = Vec::new();
    for foreign in [
        "=", "==", "===", "%3D", " ", "\n", "\r\n", "\t", "\0", "+", "/", "\u{e9}",
    ] {
        spellings.push(format!("{text}{foreign}"));
        spellings.push(format!("{first}{foreign}{rest}"));
    }
    spellings.push(format!(" {text}"));
    // One character alone is no byte.
    let odd = "A".repeat(1 + (4 - text.len() % 4) % 4);
    spellings.push(format!("{text}{odd}"));
    spellings
}

// Holds JW-05.
#[test]
fn a_signed_payload_is_read_strictly_too() {
    let (key, set) = key();
    let header = base64url::encode(r#"{"alg":"ES256"}"#);
    for payload in ["e30=", "e31", "e3 0", "e30\n", "e+/0", "e"] {
        let text = format!("{header}.{payload}");
        let signature = base64url::encode(key.sign(text.as_bytes()).unwrap());
        assert_eq!(
            jws::verify(&format!("{text}.{signature}"), &set),
            Err(TokenError::Base64),
            "{payload:?}"
        );
    }
}

// Holds JW-04.
#[test]
fn a_member_that_is_there_twice_makes_header_claims_and_keys_invalid() {
    let (key, set) = key();
    for header in [
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"k","kid":"k"}"#,
        r#"{"alg":"ES256","\u0061lg":"none"}"#,
        r#"{"alg":"ES256","x":{"a":1,"a":2}}"#,
    ] {
        let compact = signed(&key, header, "{}");
        assert_eq!(
            jws::verify(&compact, &set),
            Err(TokenError::Json),
            "{header}"
        );
    }
    for claims in [
        r#"{"aud":"a","aud":"b"}"#,
        r#"{"exp":1,"exp":99999999999}"#,
        r#"{"sub":"a","s\u0075b":"b"}"#,
        r#"{"ext":{"a":1,"a":2}}"#,
        r#"{"a":1}{"a":2}"#,
        r#"[{"sub":"a"}]"#,
        r#""sub""#,
        "",
    ] {
        let compact = signed(&key, r#"{"alg":"ES256"}"#, claims);
        assert_eq!(
            jwt::verify(&compact, &set),
            Err(TokenError::Json),
            "{claims}"
        );
    }
    let object = serde_json::Value::Object(key.public_jwk().to_object()).to_string();
    assert!(Jwk::from_json(object.as_bytes()).is_ok());
    for name in ["kty", "x", "alg"] {
        let twice = object.replacen('{', &format!(r#"{{"{name}":"EC","#), 1);
        assert!(Jwk::from_json(twice.as_bytes()).is_err(), "{twice}");
    }
    let set = format!(r#"{{"keys":[],"keys":[{object}]}}"#);
    assert!(JwkSet::from_json(set.as_bytes()).is_err());
}

// Holds JW-07.
#[test]
fn times_of_the_wrong_type_are_not_times_that_are_absent() {
    let (key, set) = key();
    for name in ["exp", "nbf", "iat"] {
        for value in [
            r#""99""#, r#""""#, r#""x""#, "null", "true", "[]", "[1]", "{}", "1e400", "-1e300",
            "NaN",
        ] {
            let compact = signed(
                &key,
                r#"{"alg":"ES256"}"#,
                &format!(r#"{{"{name}":{value}}}"#),
            );
            assert_eq!(
                jwt::verify(&compact, &set),
                Err(TokenError::Json),
                "{name} {value}"
            );
        }
        for (value, expected) in [
            ("-1", -1),
            ("0", 0),
            ("99.9", 99),
            ("1e3", 1000),
            ("-0.5", -1),
        ] {
            let compact = signed(
                &key,
                r#"{"alg":"ES256"}"#,
                &format!(r#"{{"{name}":{value}}}"#),
            );
            let claims = jwt::verify(&compact, &set).unwrap();
            assert_eq!(jwt::time(&claims, name), Some(expected), "{name} {value}");
        }
    }
}

// Holds JW-13.
#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    let (key, set) = key();
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(jws::MAX_COMPACT_LENGTH));
    let compact = signed(&key, r#"{"alg":"ES256"}"#, &long);
    assert_eq!(jws::verify(&compact, &set), Err(TokenError::TooLong));
    assert_eq!(jws::decode_unverified(&compact), Err(TokenError::TooLong));
    let header = format!(
        r#"{{"alg":"ES256","x":"{}"}}"#,
        "x".repeat(jws::MAX_HEADER_LENGTH)
    );
    let compact = signed(&key, &header, "{}");
    assert_eq!(jws::verify(&compact, &set), Err(TokenError::TooLong));
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!(r#"{{"a":{}1{}}}"#, open.repeat(2000), close.repeat(2000));
        let compact = signed(&key, r#"{"alg":"ES256"}"#, &deep);
        assert_eq!(jwt::verify(&compact, &set), Err(TokenError::Json));
    }
}
