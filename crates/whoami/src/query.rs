//! Parameters of the query, read as Go reads them.

use http::Uri;

/// The parameters, in the order of the query.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        Self(url::form_urlencoded::parse(query).into_owned().collect())
    }

    /// The first value of a parameter.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is one of Go's spellings of true (`strconv.ParseBool`).
    pub(crate) fn is_true(&self, name: &str) -> bool {
        matches!(
            self.value(name),
            Some("1" | "t" | "T" | "TRUE" | "true" | "True")
        )
    }
}
