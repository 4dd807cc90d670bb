//! `resourceMetadata` (ours): what clients are told of a route, so that they find its authorization
//! server by themselves (RFC 9728).

use schemars::JsonSchema;
use serde::Serialize;
use url::Url;

use crate::document::Fields;

/// What clients are told of a route (RFC 9728), at `/.well-known/oauth-protected-resource` before its
/// path, and by each refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceMetadata {
    /// URL of the route, as clients write it and as audiences of tokens name it. Required.
    #[schemars(with = "String")]
    #[serde(serialize_with = "as_text")]
    pub resource: Url,
    /// Issuers whose tokens are taken. Required.
    pub authorization_servers: Vec<String>,
    /// Scopes that may be asked for. Default: not told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// Its name for people. Default: not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// URL of a page for developers. Default: not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_documentation: Option<String>,
}

impl ResourceMetadata {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let resource = fields.required_text("resource");
        let resource = resource.and_then(|text| {
            is_resource(&text).or_else(|| {
                let message = "expects a URL of `http` or `https` without query and fragment";
                fields.error("resource", message);
                None
            })
        });
        let authorization_servers = fields.texts("authorizationServers");
        if authorization_servers.is_empty() {
            let message = "`authorizationServers` is missing: the issuers whose tokens are taken";
            fields.error("authorizationServers", message);
        }
        let mut text = |key| fields.text(key).filter(|text| !text.is_empty());
        let (resource_name, resource_documentation) =
            (text("resourceName"), text("resourceDocumentation"));
        Some(Self {
            authorization_servers,
            scopes_supported: fields.texts("scopesSupported"),
            resource_name,
            resource_documentation,
            resource: resource?,
        })
    }
}

/// RFC 9728, section 1.2, leaves a query out of common use; what stands in a header is plain.
fn is_resource(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.has_host();
    (matches!(url.scheme(), "http" | "https") && is_plain).then_some(url)
}

fn as_text<S: serde::Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str())
}
