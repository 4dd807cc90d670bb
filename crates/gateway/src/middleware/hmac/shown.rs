//! What a caller shows in `Authorization: Hmac`, or in `Proxy-Authorization`.

use aws_lc_rs::hmac::{
    Algorithm, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, PROXY_AUTHORIZATION};

use super::super::parameters::parameters;
use super::Refusal;

/// The parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) key_id: String,
    pub(super) algorithm: Algorithm,
    /// What is signed, in this order.
    pub(super) headers: Vec<String>,
    pub(super) signature: Vec<u8>,
    /// Seconds since 1970.
    pub(super) created: Option<u64>,
    /// The same.
    pub(super) expires: Option<u64>,
}

impl Shown {
    /// Of a request's head.
    pub(super) fn by(headers: &HeaderMap) -> Result<Self, Refusal> {
        let text = scheme(headers)?;
        let mut given = parameters(text).ok_or("the parameters cannot be read")?;
        let mut take = |name: &str| given.remove(name);
        let algorithm = take("algorithm").ok_or("there is no algorithm")?;
        let headers = take("headers").ok_or("there is no list of headers")?;
        let signature = take("signature").ok_or("there is no signature")?;
        let created = seconds(take("created"))?;
        let expires = seconds(take("expires"))?;
        Ok(Self {
            key_id: take("keyid").ok_or("there is no id of a key")?,
            algorithm: algorithm_of(&algorithm)
                .ok_or("the algorithm is none of those that are known")?,
            headers: names(&headers)?,
            signature: STANDARD
                .decode(signature)
                .map_err(|_| "the signature is no base64")?,
            created,
            expires,
        })
    }
}

/// What follows the scheme, in the one header that has it.
fn scheme(headers: &HeaderMap) -> Result<&str, Refusal> {
    let values = |name| headers.get_all(name).iter();
    let values = values(AUTHORIZATION).chain(values(PROXY_AUTHORIZATION));
    let texts = values.filter_map(|value| value.to_str().ok()?.split_once(' '));
    let mut signatures = texts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("hmac"));
    match (signatures.next(), signatures.next()) {
        (Some((_, text)), None) => Ok(text),
        (None, _) => Err("there is no signature"),
        // Which of them counts is anybody's guess.
        (Some(_), Some(_)) => Err("there are several signatures"),
    }
}

fn algorithm_of(name: &str) -> Option<Algorithm> {
    Some(match name {
        "hmac-sha1" => HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "hmac-sha256" => HMAC_SHA256,
        "hmac-sha384" => HMAC_SHA384,
        "hmac-sha512" => HMAC_SHA512,
        _ => return None,
    })
}

/// Each name is there once, in lower case: one that is there twice could be two things to two readers.
fn names(list: &str) -> Result<Vec<String>, Refusal> {
    let mut names: Vec<String> = Vec::new();
    for name in list.split(' ').filter(|name| !name.is_empty()) {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err("a name in the list is not in lower case");
        }
        if names.iter().any(|before| before == name) {
            return Err("a name is in the list twice");
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// Whole seconds, and nothing but digits.
fn seconds(text: Option<String>) -> Result<Option<u64>, Refusal> {
    let Some(text) = text else {
        return Ok(None);
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number);
    number.map(Some).ok_or("a time is no number of seconds")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const REST: &str = "algorithm=\"hmac-sha256\",headers=\"(created) host\",signature=\"YWI=\"";

    fn shown(fields: &[(http::HeaderName, &str)]) -> Result<Shown, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value.parse().unwrap());
        }
        Shown::by(&headers)
    }

    #[test]
    fn parameters_are_read_from_either_header() {
        let text = format!("hmac keyId=\"a b\",created=5,expires=\"6\",{REST}");
        for name in [AUTHORIZATION, PROXY_AUTHORIZATION] {
            let shown = shown(&[(name, &text)]).unwrap();
            assert_eq!(
                (shown.key_id.as_str(), shown.algorithm),
                ("a b", HMAC_SHA256)
            );
            assert_eq!(shown.headers, ["(created)", "host"]);
            assert_eq!(shown.signature, b"ab");
            assert_eq!((shown.created, shown.expires), (Some(5), Some(6)));
        }
        // Another scheme beside it is somebody else's.
        let both = [(AUTHORIZATION, "Bearer x"), (PROXY_AUTHORIZATION, &text)];
        assert!(shown(&both).is_ok());
        let twice = [(AUTHORIZATION, text.as_str()), (PROXY_AUTHORIZATION, &text)];
        assert_eq!(shown(&twice), Err("there are several signatures"));
    }

    #[test]
    fn what_cannot_be_read_shows_nothing() {
        for text in [
            "Basic dTpw".to_owned(),
            "Hmac".to_owned(),
            "Hmac x".to_owned(),
            format!("Hmac {REST}"),
            format!("Hmac keyId=a,keyId=b,{REST}"),
            format!("Hmac keyId=a,{}", REST.replace("hmac-sha256", "none")),
            format!("Hmac keyId=a,{}", REST.replace("hmac-sha256", "hs2019")),
            format!("Hmac keyId=a,{}", REST.replace("algorithm", "algorithms")),
            format!("Hmac keyId=a,{}", REST.replace("headers", "header")),
            format!("Hmac keyId=a,{}", REST.replace("host", "Host")),
            format!("Hmac keyId=a,{}", REST.replace("host", "(created)")),
            format!("Hmac keyId=a,{}", REST.replace("YWI=", "%%")),
            format!("Hmac keyId=a,created=+5,{REST}"),
            format!("Hmac keyId=a,created=5.5,{REST}"),
            format!("Hmac keyId=a,expires=\"\",{REST}"),
            format!("Hmac keyId=a,expires=99999999999999999999,{REST}"),
        ] {
            assert!(shown(&[(AUTHORIZATION, &text)]).is_err(), "{text}");
        }
    }
}
