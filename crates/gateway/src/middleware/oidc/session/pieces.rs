//! One value over as many cookies as it needs: `NAME`, `NAME-1` and so on. The first says how many
//! there are, so one that is left over from a larger value is not read.

use http::HeaderMap;

use crate::cookies;

/// Browsers keep 4,096 bytes of a cookie, its name and attributes among them (RFC 6265, section 6.1).
const PIECE: usize = 3_600;

/// The longest value. Proxies and servers in front refuse requests whose cookies are much longer.
pub(super) const LONGEST: usize = 16 << 10;

/// So many cookies a value has at most.
pub(super) const MOST: usize = (LONGEST + HEAD).div_ceil(PIECE);

/// How many there are, and a point.
const HEAD: usize = 2;

/// Names and values of the cookies; `None`: the value is too long.
pub(super) fn split(name: &str, value: &str) -> Option<Vec<(String, String)>> {
    if value.len() > LONGEST {
        return None;
    }
    let count = (value.len() + HEAD).div_ceil(PIECE);
    let text = format!("{count}.{value}");
    let pieces = text.as_bytes().chunks(PIECE).enumerate();
    pieces
        .map(|(index, piece)| Some((of(name, index), String::from_utf8(piece.to_vec()).ok()?)))
        .collect()
}

/// The value whose cookies a request carries, if none of them is missing.
pub(super) fn join(name: &str, headers: &HeaderMap) -> Option<String> {
    let (count, begins) = cookies::first(headers, name)?.split_once('.')?;
    let count = (1..=MOST).find(|number| number.to_string() == count)?;
    let mut value = begins.to_owned();
    for index in 1..count {
        value.push_str(cookies::first(headers, &of(name, index))?);
    }
    (value.len() <= LONGEST).then_some(value)
}

/// The names of the cookies that a request carries, save the first so many.
pub(super) fn sent(name: &str, headers: &HeaderMap, first: usize) -> Vec<String> {
    let names = (first..MOST).map(|index| of(name, index));
    names
        .filter(|name| cookies::first(headers, name).is_some())
        .collect()
}

/// Takes all of them out of a request, those that are not read as well.
pub(super) fn take_off(name: &str, headers: &mut HeaderMap) {
    let names: Vec<String> = (0..MOST).map(|index| of(name, index)).collect();
    cookies::take_off(headers, |other| names.iter().any(|name| name == other));
}

fn of(name: &str, index: usize) -> String {
    match index {
        0 => name.to_owned(),
        index => format!("{name}-{index}"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::sample::Index;

    use super::*;

    fn carried<'a>(pairs: impl IntoIterator<Item = &'a (String, String)>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let field = HeaderValue::try_from(format!("{name}={value}")).unwrap();
            headers.append(COOKIE, field);
        }
        headers
    }

    proptest! {
        #[test]
        fn what_is_split_is_whole_again_in_any_order_and_nothing_with_a_piece_missing(
            length in 0..=LONGEST, seed in any::<u8>(), other in any::<Index>(),
        ) {
            let letters = (b'a'..=b'z').map(char::from).cycle();
            let value: String = letters.skip(usize::from(seed)).take(length).collect();
            let mut pairs = split("s", &value).unwrap();
            prop_assert!(pairs.len() <= MOST);
            prop_assert!(pairs.iter().all(|(name, value)| name.len() + value.len() < 3_700));
            pairs.reverse();
            prop_assert_eq!(join("s", &carried(&pairs)), Some(value.clone()));
            pairs.remove(other.index(pairs.len()));
            prop_assert_eq!(join("s", &carried(&pairs)), None);
        }
    }

    #[test]
    fn what_is_left_over_of_a_larger_value_is_not_read_and_is_known() {
        let large = split("s", &"a".repeat(9_000)).unwrap();
        let small = split("s", &"b".repeat(5_000)).unwrap();
        assert_eq!((large.len(), small.len()), (3, 2));
        let headers = carried(small.iter().chain(&large[2..]));
        assert_eq!(join("s", &headers), Some("b".repeat(5_000)));
        assert_eq!(sent("s", &headers, small.len()), ["s-2"]);
        assert_eq!(sent("s", &headers, 0), ["s", "s-1", "s-2"]);
    }

    #[test]
    fn counts_that_nobody_wrote_are_nothing_and_neither_is_more_than_fits() {
        for first in [
            "",
            "a",
            ".a",
            "0.a",
            "01.a",
            "+1.a",
            "2.a",
            "6.a",
            "1",
            "99999999999999999999.a",
        ] {
            let pairs = [("s".to_owned(), first.to_owned())];
            assert_eq!(join("s", &carried(&pairs)), None, "{first}");
        }
        assert!(split("s", &"a".repeat(LONGEST)).is_some());
        assert_eq!(split("s", &"a".repeat(LONGEST + 1)), None);
        let whole = [("s".to_owned(), format!("1.{}", "a".repeat(LONGEST + 1)))];
        assert_eq!(join("s", &carried(&whole)), None);
    }

    #[test]
    fn of_thousands_of_cookies_ours_are_found_and_taken_off() {
        let ours = split("s", &"a".repeat(LONGEST)).unwrap();
        let mut pairs: Vec<(String, String)> = (0..5_000)
            .map(|number| (format!("s-{}", number + MOST), "x".to_owned()))
            .collect();
        pairs.extend(ours);
        let mut headers = carried(&pairs);
        assert_eq!(join("s", &headers).unwrap().len(), LONGEST);
        take_off("s", &mut headers);
        assert_eq!(join("s", &headers), None);
        let left = headers.get(COOKIE).unwrap().to_str().unwrap();
        assert_eq!(left.split("; ").count(), 5_000);
    }
}
