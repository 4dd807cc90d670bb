//! `sticky.cookie`: a cookie that leads a client back to whoever answered it first.

use crate::document::Fields;

/// `sticky.cookie`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Default: `_` and five hexadecimal digits, made from the name of the service as Traefik does.
    pub name: Option<String>,
    /// Only over TLS. Default false.
    pub secure: bool,
    /// Not for scripts. Default false.
    pub http_only: bool,
    /// Whether other sites' requests carry it. Default: the browser decides.
    pub same_site: Option<SameSite>,
    /// Seconds until it ends; below zero: at once. Default zero: with the browser.
    pub max_age: i64,
    /// Path it is sent to. Default `/`.
    pub path: String,
    /// Host it is sent to. Default: the one that set it.
    pub domain: Option<String>,
}

/// `sameSite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// `none`.
    None,
    /// `lax`.
    Lax,
    /// `strict`.
    Strict,
}

const SAME_SITE: &[(&str, SameSite)] = &[
    ("none", SameSite::None),
    ("lax", SameSite::Lax),
    ("strict", SameSite::Strict),
];

impl Cookie {
    /// Reads `sticky`; `None` where there is no cookie.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields
            .map("sticky", |sticky| sticky.map("cookie", Self::options))
            .flatten()
    }

    fn options(fields: &mut Fields<'_>) -> Self {
        let usual = Self {
            name: None,
            secure: false,
            http_only: false,
            same_site: None,
            max_age: 0,
            path: "/".to_owned(),
            domain: None,
        };
        Self {
            max_age: fields.integer("maxAge").unwrap_or(0),
            ..usual.changed_by(fields)
        }
    }

    /// The same with what is written down; `maxAge` is left to the caller, whose unit and bounds may
    /// be others.
    pub(crate) fn changed_by(self, fields: &mut Fields<'_>) -> Self {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            name: text(fields.text("name")).or(self.name),
            secure: fields.boolean("secure").unwrap_or(self.secure),
            http_only: fields.boolean("httpOnly").unwrap_or(self.http_only),
            same_site: fields.word("sameSite", SAME_SITE).or(self.same_site),
            max_age: self.max_age,
            path: printable(fields, "path").unwrap_or(self.path),
            domain: text(printable(fields, "domain")).or(self.domain),
        }
    }
}

/// An attribute's value, which nothing may end early (RFC 6265 section 4.1.1).
fn printable(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let text = fields.text(key)?;
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b';';
    if !text.bytes().all(is_plain) {
        fields.error(key, "holds a character that no cookie may have");
    }
    Some(text)
}
