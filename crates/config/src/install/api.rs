//! `api`: what the gateway tells of its configuration.

use crate::document::Fields;

/// `api`. Routers that name `api@internal` are always served; `insecure` serves it without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// `insecure`: `/api` is answered at the entry point `traefik`, to everybody. Default false.
    pub insecure: bool,
    /// `dashboard`: a page that says where `/api` is. Default true.
    pub dashboard: bool,
    /// `basePath`: what paths of the API begin with. Default `/`.
    pub base_path: String,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            insecure: false,
            dashboard: true,
            base_path: "/".to_owned(),
        }
    }
}

impl Api {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        fields.not_yet("api");
        // An advertisement that is not there.
        fields.boolean("disableDashboardAd");
        fields.text("dashboardName");
        let base_path = fields.text("basePath").filter(|path| !path.is_empty());
        if base_path
            .as_ref()
            .is_some_and(|path| !path.starts_with('/'))
        {
            fields.error("basePath", "expects a path that begins with `/`");
        }
        Self {
            insecure: fields.boolean("insecure").unwrap_or(false),
            dashboard: fields.boolean("dashboard").unwrap_or(true),
            base_path: base_path.unwrap_or_else(|| "/".to_owned()),
        }
    }
}
