//! Texts of PostgreSQL hold every character but U+0000, and whoever asks for a client of such a name
//! shall hear that there is none, not that the database is broken. So U+0000 and U+0001 become pairs
//! that begin with U+0001, which keeps texts apart and in their order.

use std::borrow::Cow;

/// A text as it is kept.
pub(super) fn written(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', '\u{1}']) {
        return Cow::Borrowed(text);
    }
    let written = text.replace('\u{1}', "\u{1}\u{2}");
    Cow::Owned(written.replace('\0', "\u{1}\u{1}"))
}

/// A text that was kept.
pub(super) fn read(text: String) -> String {
    if !text.contains('\u{1}') {
        return text;
    }
    text.replace("\u{1}\u{1}", "\0")
        .replace("\u{1}\u{2}", "\u{1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_apart_and_in_order() {
        let mut texts = vec![
            "",
            "\0",
            "\0\0",
            "\0\u{1}",
            "\0a",
            "\u{1}",
            "\u{1}\0",
            "\u{1}\u{1}",
        ];
        texts.extend([
            "\u{1}\u{2}",
            "\u{2}",
            "\u{2}\0",
            "a",
            "a\0",
            "a\0b",
            "a\u{1}",
            "ab",
            "\u{e9}",
        ]);
        assert!(texts.is_sorted());
        let kept: Vec<String> = texts
            .iter()
            .map(|text| written(text).into_owned())
            .collect();
        assert!(kept.is_sorted_by(|a, b| a < b), "{kept:?}");
        for (text, kept) in texts.into_iter().zip(kept) {
            assert!(!kept.contains('\0'));
            assert_eq!(read(kept), text);
        }
    }
}
