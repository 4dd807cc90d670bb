//! The coding that a client likes best (RFC 9110 section 12.5.3).

use carnet_config::routing::middleware::Compress as Options;
use carnet_config::routing::middleware::compress::Encoding;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use crate::service::tokens;

/// Weights are thousandths.
const ALWAYS: u16 = 1000;

/// The coding of `encodings` with the greatest weight; of several the one that is named first there.
/// `None`: none of them, or none is liked better than the answer as it is.
pub(super) fn choose(headers: &HeaderMap, options: &Options) -> Option<Encoding> {
    let asked: Vec<(&str, u16)> = tokens(headers, &ACCEPT_ENCODING).map(weighed).collect();
    let weight = |word: &str| {
        let named = asked
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word));
        named.map(|(_, weight)| *weight)
    };
    let any = weight("*");
    // Who leaves the choice gets what is the default here.
    let default = options.default_encoding.iter().filter(|_| any.is_some());
    let codings = default.chain(&options.encodings);
    let mut best = (None, weight("identity").unwrap_or(0));
    for coding in codings {
        let weight = weight(coding.word()).or(any).unwrap_or(0);
        // Of equals, the answer as it is comes last.
        let is_better = weight > best.1 || (weight == best.1 && best.0.is_none());
        if weight > 0 && is_better {
            best = (Some(*coding), weight);
        }
    }
    best.0
}

/// A coding and its weight. What is no weight counts as none.
fn weighed(item: &str) -> (&str, u16) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    (name, weight.map_or(ALWAYS, thousandths))
}

/// `0.5` as 500; RFC 9110 section 12.4.2 has three digits at most.
fn thousandths(weight: &str) -> u16 {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    let mut digits = part.bytes().chain(*b"000").take(3);
    let part = digits.try_fold(0, |sum: u16, digit| {
        let digit = char::from(digit).to_digit(10)?;
        Some(sum * 10 + u16::try_from(digit).ok()?)
    });
    match (whole, part) {
        ("0", Some(part)) => part,
        ("1", Some(_)) => ALWAYS,
        _ => 0,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use Encoding::{Br, Gzip, Zstd};

    use super::*;

    fn chosen(accept: &str, default: Option<Encoding>) -> Option<Encoding> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
        let options = Options {
            excluded_content_types: Vec::new(),
            included_content_types: Vec::new(),
            min_response_body_bytes: 0,
            encodings: vec![Gzip, Br, Zstd],
            default_encoding: default,
        };
        choose(&headers, &options)
    }

    #[test]
    fn the_coding_of_the_greatest_weight_is_taken_and_the_first_of_equals() {
        for (accept, coding) in [
            ("gzip", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("zstd, br, gzip", Some(Gzip)),
            ("br, zstd", Some(Br)),
            ("gzip;q=0.5, br;q=0.8 , zstd;q=0.799", Some(Br)),
            ("gzip; q=0.5, zstd;Q=1.000", Some(Zstd)),
            ("gzip;q=0", None),
            ("gzip;q=x", None),
            ("gzip;q=0.001", Some(Gzip)),
            ("gzip;q=2", None),
            ("deflate, compress", None),
            ("identity", None),
            ("identity;q=1, gzip;q=0.5", None),
            ("identity, gzip", Some(Gzip)),
            ("*", Some(Gzip)),
            ("*;q=0", None),
            ("gzip;q=0, *", Some(Br)),
            ("gzip;q=0.2, *;q=0.1", Some(Gzip)),
            ("", None),
            (",;,", None),
        ] {
            assert_eq!(chosen(accept, None), coding, "{accept}");
        }
        assert_eq!(chosen("*", Some(Zstd)), Some(Zstd));
        assert_eq!(chosen("*, br", Some(Zstd)), Some(Zstd));
        assert_eq!(chosen("gzip, br", Some(Zstd)), Some(Gzip));
        assert_eq!(chosen("zstd;q=0, *", Some(Zstd)), Some(Gzip));
    }
}
