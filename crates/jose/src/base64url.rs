//! Strict base64url without padding (RFC 7515, section 2): no padding, no foreign characters, no
//! bits left over at the end.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const STRICT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false),
);

/// Bytes to text.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    STRICT.encode(bytes)
}

/// Appends the text of the bytes.
pub fn encode_into(bytes: impl AsRef<[u8]>, text: &mut String) {
    STRICT.encode_string(bytes, text);
}

/// Text to bytes; `None` when the text has any other spelling than [`encode`] would give.
#[must_use]
pub fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    STRICT.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Holds JW-05.
    #[test]
    fn only_the_one_canonical_spelling_is_read() {
        assert_eq!(decode("AA").as_deref(), Some(&[0][..]));
        assert_eq!(decode("_-8").as_deref(), Some(&[0xff, 0xef][..]));
        for text in ["AA==", "AB", "A", "A A", "AA\n", "+/8", "A=", "AAA=", "AAB"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
