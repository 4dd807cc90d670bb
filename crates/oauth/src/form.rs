//! `application/x-www-form-urlencoded`, strictly: a pair that is not well-formed UTF-8 with
//! well-formed escapes is dropped, as Hydra does, never half understood.

use std::borrow::Cow;

/// The pairs of a body, in order.
#[must_use]
pub fn parse(body: &[u8]) -> Vec<(String, String)> {
    body.split(|byte| *byte == b'&').filter_map(pair).collect()
}

fn pair(text: &[u8]) -> Option<(String, String)> {
    // A semicolon once separated pairs; readers that disagree about it can be played off.
    if text.is_empty() || text.contains(&b';') {
        return None;
    }
    let at = text
        .iter()
        .position(|byte| *byte == b'=')
        .unwrap_or(text.len());
    let value = text.get(at + 1..).unwrap_or_default();
    Some((decode(&text[..at])?, decode(value)?))
}

/// Decodes one name or value; `None` when an escape is bad or the result is no UTF-8.
#[must_use]
pub fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let [high, low, tail @ ..] = rest else {
                    return None;
                };
                rest = tail;
                hex(*high)? << 4 | hex(*low)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Encodes one name or value.
#[must_use]
pub fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Encodes pairs.
pub fn encode_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        body.append_pair(name, &value);
    }
    body.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_are_not_well_formed_are_dropped() {
        let text = b"a=1&b=%zz&c=%C3%BC+x&d&=e&f=1;g=2&h=%ff&i=%4";
        let pairs = parse(text);
        let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "c", "d", ""]);
        assert_eq!(pairs[1].1, "\u{fc} x");
    }

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        let text = "p:w+1 %/\u{e9}&=";
        assert_eq!(decode(encode(text).as_bytes()).as_deref(), Some(text));
        assert_eq!(encode("a b"), "a+b");
    }
}
