//! `encodedCharacters`: which encoded characters a path may hold.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `encodedCharacters`, Traefik's: which encoded characters a path may hold, for routers and for entry
/// points. A path with one that is not allowed is answered 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub struct EncodedCharacters {
    /// `%2F`. Default false; true at entry points.
    #[serde(rename = "allowEncodedSlash")]
    pub slash: bool,
    /// `%5C`. Default false; true at entry points.
    #[serde(rename = "allowEncodedBackSlash")]
    pub back_slash: bool,
    /// `%00`. Default false; true at entry points.
    #[serde(rename = "allowEncodedNullCharacter")]
    pub null_character: bool,
    /// `%3B`. Default false; true at entry points.
    #[serde(rename = "allowEncodedSemicolon")]
    pub semicolon: bool,
    /// `%25`. Default false; true at entry points.
    #[serde(rename = "allowEncodedPercent")]
    pub percent: bool,
    /// `%3F`. Default false; true at entry points.
    #[serde(rename = "allowEncodedQuestionMark")]
    pub question_mark: bool,
    /// `%23`. Default false; true at entry points.
    #[serde(rename = "allowEncodedHash")]
    pub hash: bool,
}

impl EncodedCharacters {
    /// All of them, or none.
    pub fn all(are_allowed: bool) -> Self {
        Self {
            slash: are_allowed,
            back_slash: are_allowed,
            null_character: are_allowed,
            semicolon: are_allowed,
            percent: are_allowed,
            question_mark: are_allowed,
            hash: are_allowed,
        }
    }

    /// Reads the options; `default` is what those are that nobody sets.
    pub(crate) fn read(fields: &mut Fields<'_>, default: bool) -> Self {
        let mut allowed = |key| fields.boolean(key).unwrap_or(default);
        Self {
            slash: allowed("allowEncodedSlash"),
            back_slash: allowed("allowEncodedBackSlash"),
            null_character: allowed("allowEncodedNullCharacter"),
            semicolon: allowed("allowEncodedSemicolon"),
            percent: allowed("allowEncodedPercent"),
            question_mark: allowed("allowEncodedQuestionMark"),
            hash: allowed("allowEncodedHash"),
        }
    }

    /// The first encoded character of a path that is not allowed. The path's encodings are in upper
    /// case, as the gateway writes them.
    pub fn forbidden_in(&self, path: &str) -> Option<&'static str> {
        let table = [
            ("%2F", self.slash),
            ("%5C", self.back_slash),
            ("%00", self.null_character),
            ("%3B", self.semicolon),
            ("%25", self.percent),
            ("%3F", self.question_mark),
            ("%23", self.hash),
        ];
        let mut refused = table.into_iter().filter(|(_, is_allowed)| !is_allowed);
        refused.find_map(|(encoded, _)| path.contains(encoded).then_some(encoded))
    }
}
