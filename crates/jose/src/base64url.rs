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

/// Reads what a text decodes to, without keeping it; `None` as for [`decode`].
pub(crate) fn read<T>(text: &str, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    /// As much as most headers have.
    const MOST: usize = 384;
    let mut few = [0; MOST];
    if base64::decoded_len_estimate(text.len()) > MOST {
        return decode(text).as_deref().map(read);
    }
    let length = STRICT.decode_slice(text, &mut few).ok()?;
    few.get(..length).map(read)
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
