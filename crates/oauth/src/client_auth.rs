//! How a client shows who it is (RFC 6749, section 2.3.1): its id and secret in a Basic header or
//! in the body.
//!
//! The RFC wants both parts of a Basic header form-encoded, and half of the world does not do it.
//! So a header has two readings: the encoded one first, the raw one when it differs. Bytes that are
//! no UTF-8 are Latin-1, in which Python's libraries write (RFC 7617, section 2, leaves it open).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use crate::form;

/// Bytes of a Basic header that are looked at: 8 KiB of id and secret, enough for a token in the place of
/// a password, in their longest writing, which is form-encoded (three times) and base64 (four thirds).
const MAX_HEADER: usize = 32 * 1024;

/// The names of the methods, as clients are registered with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The secret in a Basic header.
    Basic,
    /// The secret in the body.
    Post,
    /// An assertion that the client's own key signed (RFC 7523).
    PrivateKeyJwt,
    /// A certificate of an authority, by a name in it (RFC 8705, section 2.1).
    TlsClientAuth,
    /// A certificate that is registered itself (RFC 8705, section 2.2).
    SelfSignedTlsClientAuth,
    /// A JWT-SVID of the client's SPIFFE trust domain (draft-ietf-oauth-spiffe-client-auth).
    SpiffeJwt,
    /// No secret at all.
    None,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Basic,
        Self::Post,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::SpiffeJwt,
        Self::None,
    ];

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::SpiffeJwt => "spiffe_jwt",
            Self::None => "none",
        }
    }
}

/// An id and a secret.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The client's id.
    pub id: String,
    /// The client's secret.
    pub secret: SecretString,
}

/// A Basic header in its readings.
#[derive(Debug, Clone)]
pub struct Basic {
    /// The readings, most likely first: one or two.
    pub readings: Vec<Credentials>,
}

impl Basic {
    /// Reads the value of an `Authorization` header; `None` when it is no Basic header that can be
    /// read, or longer than credentials are (32 KiB). The scheme may be written in any case.
    #[must_use]
    pub fn parse(header: &[u8]) -> Option<Self> {
        if header.len() > MAX_HEADER {
            return None;
        }
        let space = header.iter().position(|byte| *byte == b' ')?;
        let (scheme, encoded) = (&header[..space], &header[space + 1..]);
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?)
            .unwrap_or_else(|latin| latin.as_bytes().iter().copied().map(char::from).collect());
        let colon = text.bytes().position(|byte| byte == b':')?;
        let (id, secret) = (&text[..colon], &text[colon + 1..]);
        let raw = Credentials {
            id: id.to_owned(),
            secret: SecretString::from(secret),
        };
        let mut readings = Vec::with_capacity(2);
        // Nothing else is written in another way in a form.
        if text.bytes().any(|byte| matches!(byte, b'%' | b'+'))
            && let (Some(decoded_id), Some(decoded)) =
                (form::decode(id.as_bytes()), form::decode(secret.as_bytes()))
            && (decoded_id != id || decoded != secret)
        {
            readings.push(Credentials {
                id: decoded_id,
                secret: SecretString::from(decoded),
            });
        }
        readings.push(raw);
        Some(Self { readings })
    }

    /// Writes the value of an `Authorization` header as the RFC wants it.
    #[must_use]
    pub fn format(credentials: &Credentials) -> SecretString {
        let text = format!(
            "{}:{}",
            form::encode(&credentials.id),
            form::encode(credentials.secret.expose_secret())
        );
        SecretString::from(format!("Basic {}", STANDARD.encode(text)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn readings(text: &str) -> Vec<(String, String)> {
        let header = format!("Basic {}", STANDARD.encode(text));
        Basic::parse(header.as_bytes())
            .unwrap()
            .readings
            .into_iter()
            .map(|reading| (reading.id, reading.secret.expose_secret().to_owned()))
            .collect()
    }

    fn pair(id: &str, secret: &str) -> (String, String) {
        (id.to_owned(), secret.to_owned())
    }

    // Holds TE-15.
    #[test]
    fn a_header_that_can_be_read_in_two_ways_is_read_in_both() {
        assert_eq!(readings("a:b"), [pair("a", "b")]);
        assert_eq!(readings("a:b+c"), [pair("a", "b c"), pair("a", "b+c")]);
        assert_eq!(readings("a:p%3Aw"), [pair("a", "p:w"), pair("a", "p%3Aw")]);
        assert_eq!(readings("a:p:w %/\u{e9}"), [pair("a", "p:w %/\u{e9}")]);
        assert_eq!(readings("a:"), [pair("a", "")]);
    }

    #[test]
    fn eight_kib_of_credentials_are_read_in_their_longest_writing_and_64_kib_are_not() {
        let written = |length: usize| {
            let secret = SecretString::from("%".repeat(length));
            Basic::format(&Credentials {
                id: String::new(),
                secret,
            })
        };
        let longest = written(8 * 1024 - 8);
        let basic = Basic::parse(longest.expose_secret().as_bytes()).unwrap();
        assert_eq!(basic.readings[0].secret.expose_secret().len(), 8 * 1024 - 8);
        let too_long = written(16 * 1024);
        assert!(Basic::parse(too_long.expose_secret().as_bytes()).is_none());
    }

    // Holds HI-21, TE-15.
    #[test]
    fn bytes_that_are_no_utf_8_are_latin_1() {
        let header = format!("Basic {}", STANDARD.encode(b"\xe9:p:w+1 %/\xff"));
        let basic = Basic::parse(header.as_bytes()).unwrap();
        let [reading] = &basic.readings[..] else {
            unreachable!()
        };
        assert_eq!(reading.id, "\u{e9}");
        assert_eq!(reading.secret.expose_secret(), "p:w+1 %/\u{ff}");
    }

    #[test]
    fn headers_that_are_not_basic_are_none_at_all() {
        for header in [
            "Bearer x",
            "Basic",
            "Basic %%%",
            "Basic Zm9v",
            "Basic  YTpi",
            "Basic YTpi=",
        ] {
            assert!(Basic::parse(header.as_bytes()).is_none(), "{header}");
        }
        assert!(Basic::parse(b"bAsIc YTpi").is_some());
    }

    #[test]
    fn what_is_written_reads_back() {
        let credentials = Credentials {
            id: "a b".to_owned(),
            secret: SecretString::from("p:w+1 %/\u{e9}"),
        };
        let header = Basic::format(&credentials);
        let basic = Basic::parse(header.expose_secret().as_bytes()).unwrap();
        assert_eq!(basic.readings[0].id, "a b");
        assert_eq!(basic.readings[0].secret.expose_secret(), "p:w+1 %/\u{e9}");
        assert!(!format!("{basic:?}").contains("p:w"));
    }
}
