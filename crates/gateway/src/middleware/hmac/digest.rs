//! `Digest`: what a body is to hash to (RFC 3230).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;

use super::DIGEST;
use crate::body::Request;

/// Whether the body has the digests of the request's head: each that is known, and one at least.
pub(super) async fn is_of(request: Request) -> bool {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return false;
    };
    let body = body.to_bytes();
    let lines = head.headers.get_all(DIGEST).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    is_any_and_all(&lines, &body)
}

fn is_any_and_all(lines: &[&str], body: &[u8]) -> bool {
    let pairs = lines.iter().flat_map(|line| line.split(','));
    let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    let mut known = pairs.filter_map(|(name, value)| {
        let algorithm = match name.to_ascii_uppercase().as_str() {
            "SHA-256" => &SHA256,
            "SHA-512" => &SHA512,
            _ => return None,
        };
        let hash = STANDARD.decode(value).unwrap_or_default();
        Some(verify_slices_are_equal(digest(algorithm, body).as_ref(), &hash).is_ok())
    });
    known.next() == Some(true) && known.all(|is_right| is_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `hello`, made by `openssl dgst`.
    const SHA_256: &str = "SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

    #[test]
    fn every_known_digest_is_the_bodys_and_there_is_one() {
        let wrong = SHA_256.replace("LPJN", "AAAA");
        let both = format!("md5=x, {SHA_256}");
        let mixed = format!("{SHA_256}, {wrong}");
        for (lines, is_right) in [
            (&[SHA_256][..], true),
            (
                &["sha-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="],
                true,
            ),
            (&[&both], true),
            (&[SHA_256, &wrong], false),
            (&[&mixed], false),
            (&[&wrong], false),
            (&["SHA-256="], false),
            (&["SHA-256=%"], false),
            (&["md5=XUFAKrxLKna5cZ2REBfFkg=="], false),
            (&["SHA-512=x"], false),
            (&[""], false),
            (&[], false),
        ] {
            assert_eq!(is_any_and_all(lines, b"hello"), is_right, "{lines:?}");
        }
        assert!(!is_any_and_all(&[SHA_256], b"hello!"));
    }
}
