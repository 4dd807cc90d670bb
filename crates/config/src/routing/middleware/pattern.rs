//! Options that are regular expressions, in Go's syntax.

use crate::document::Fields;
use crate::rule::Pattern;

/// One that must be there.
pub(super) fn pattern(fields: &mut Fields<'_>, key: &'static str) -> Option<Pattern> {
    let text = fields.required_text(key)?;
    compiled(fields, key, &text)
}

/// A list of them.
pub(super) fn patterns(fields: &mut Fields<'_>, key: &'static str) -> Vec<Pattern> {
    let texts = fields.texts(key);
    let compiled = texts.iter().filter_map(|text| compiled(fields, key, text));
    compiled.collect()
}

fn compiled(fields: &mut Fields<'_>, key: &'static str, text: &str) -> Option<Pattern> {
    Pattern::new(text)
        .map_err(|reason| fields.error(key, format!("`{text}`: {reason}")))
        .ok()
}
