//! `compress`: answers are packed for clients that can unpack them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;
use crate::token::is_token;

/// `compress`, Traefik's: answers are packed for clients that can unpack them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compress {
    /// Media types that are not packed, of the request or of the answer. `application/grpc` is
    /// always one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_content_types: Vec<String>,
    /// The only media types that are packed. Not beside `excludedContentTypes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub included_content_types: Vec<String>,
    /// Answers that are known to have less stay as they are. Default 1024.
    pub min_response_body_bytes: u64,
    /// The first that a client likes best is taken. Default `gzip`, `br`, `zstd`.
    pub encodings: Vec<Encoding>,
    /// For clients that say nothing of what they can unpack. Default: nothing is packed for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_encoding: Option<Encoding>,
}

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Br,
    /// RFC 8878.
    Zstd,
}

const WORDS: [(&str, Encoding); 3] = [
    ("gzip", Encoding::Gzip),
    ("br", Encoding::Br),
    ("zstd", Encoding::Zstd),
];

impl Encoding {
    /// As headers name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }
}

impl Compress {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let excluded_content_types = media_types(fields, "excludedContentTypes");
        let included_content_types = media_types(fields, "includedContentTypes");
        if !excluded_content_types.is_empty() && !included_content_types.is_empty() {
            let message = "`excludedContentTypes` and `includedContentTypes` exclude each other; \
                           keep one of them";
            fields.error("includedContentTypes", message);
        }
        let minimum = fields.integer("minResponseBodyBytes").unwrap_or(0);
        let encodings = encodings(fields);
        let default_encoding = fields.word("defaultEncoding", &WORDS);
        if default_encoding.is_some_and(|encoding| !encodings.contains(&encoding)) {
            fields.error("defaultEncoding", "expects one of `encodings`");
        }
        Some(Self {
            excluded_content_types,
            included_content_types,
            min_response_body_bytes: match u64::try_from(minimum) {
                Ok(minimum) if minimum > 0 => minimum,
                _ => 1024,
            },
            encodings,
            default_encoding,
        })
    }
}

fn encodings(fields: &mut Fields<'_>) -> Vec<Encoding> {
    if !fields.has("encodings") {
        return WORDS.map(|(_, encoding)| encoding).to_vec();
    }
    let texts = fields.texts("encodings");
    if texts.is_empty() {
        fields.error("encodings", "names none; take some of `gzip`, `br`, `zstd`");
    }
    let meanings = texts.iter();
    meanings
        .filter_map(|text| fields.meaning("encodings", text, &WORDS))
        .collect()
}

/// In lower case and without parameters, which do not count.
fn media_types(fields: &mut Fields<'_>, key: &'static str) -> Vec<String> {
    let mut types = Vec::new();
    for text in fields.texts(key) {
        match media_type(&text) {
            Some(media_type) => types.push(media_type),
            None => fields.error(key, format!("`{text}` is no media type, like `text/html`")),
        }
    }
    types
}

/// The media type in a `Content-Type`, in lower case; `None`: there is none that can be read.
pub fn media_type(text: &str) -> Option<String> {
    let name = text.split(';').next().unwrap_or_default().trim();
    let mut parts = name.split('/');
    let is_one = parts.by_ref().take(2).all(is_token) && parts.next().is_none();
    is_one.then(|| name.to_ascii_lowercase())
}
