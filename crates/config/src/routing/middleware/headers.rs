//! `headers`: sets and removes headers, answers CORS preflights, adds what browsers obey.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::pattern::patterns;
use crate::document::Fields;
use crate::rule::Pattern;

/// `headers`, Traefik's: sets and removes headers, answers CORS preflights, adds what browsers obey.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Headers {
    /// Headers that users choose.
    #[serde(flatten)]
    pub custom: Custom,
    /// `accessControl*` and `addVaryHeader`.
    #[serde(flatten)]
    pub cors: Cors,
    /// What protects browsers.
    #[serde(flatten)]
    pub security: Security,
}

/// Headers that users choose; an empty value removes one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Custom {
    /// Of the request, before the service gets it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_request_headers: BTreeMap<String, String>,
    /// Of the response, before the client gets it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_response_headers: BTreeMap<String, String>,
}

/// Cross-origin resource sharing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cors {
    /// `Access-Control-Allow-Credentials: true`. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub access_control_allow_credentials: bool,
    /// `Access-Control-Allow-Headers` of preflights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_headers: Vec<String>,
    /// `Access-Control-Allow-Methods` of preflights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_methods: Vec<String>,
    /// Origins that may read; `*` is every one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_allow_origin_list: Vec<String>,
    /// Origins that may read, as patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub access_control_allow_origin_list_regex: Vec<Pattern>,
    /// `Access-Control-Expose-Headers`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_control_expose_headers: Vec<String>,
    /// `Access-Control-Max-Age` of preflights, in seconds. Default 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub access_control_max_age: i64,
    /// `Origin` is added to `Vary`. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub add_vary_header: bool,
}

/// What protects browsers, and the hosts that are answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// Hosts that are answered; others get 500. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<String>,
    /// Headers that may hold the host in place of `Host`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts_proxy_headers: Vec<String>,
    /// Headers and values by which a proxy in front says that the client speaks TLS.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ssl_proxy_headers: BTreeMap<String, String>,
    /// `max-age` of `Strict-Transport-Security`, in seconds. Default 0: no such header.
    #[serde(skip_serializing_if = "is_zero")]
    pub sts_seconds: i64,
    /// `includeSubDomains` of it. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sts_include_subdomains: bool,
    /// `preload` of it. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sts_preload: bool,
    /// It is sent over plain connections, too. Default false.
    #[serde(rename = "forceSTSHeader", skip_serializing_if = "std::ops::Not::not")]
    pub force_sts_header: bool,
    /// `X-Frame-Options: DENY`. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frame_deny: bool,
    /// Another value of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub custom_frame_options_value: String,
    /// `X-Content-Type-Options: nosniff`. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub content_type_nosniff: bool,
    /// `X-XSS-Protection: 1; mode=block`. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub browser_xss_filter: bool,
    /// Another value of it.
    #[serde(
        rename = "customBrowserXSSValue",
        skip_serializing_if = "String::is_empty"
    )]
    pub custom_browser_xss_value: String,
    /// `Content-Security-Policy`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_security_policy: String,
    /// `Content-Security-Policy-Report-Only`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_security_policy_report_only: String,
    /// `Public-Key-Pins`, over TLS.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub public_key: String,
    /// `Referrer-Policy`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub referrer_policy: String,
    /// `Permissions-Policy`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub permissions_policy: String,
    /// Neither hosts nor TLS matter. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_development: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Headers {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let headers = Self {
            custom: Custom {
                custom_request_headers: fields.text_map("customRequestHeaders"),
                custom_response_headers: fields.text_map("customResponseHeaders"),
            },
            cors: Cors::read(fields),
            security: Security::read(fields),
        };
        if headers == Self::default() {
            let message = "has no option that does something; see `customRequestHeaders`";
            fields.error("", message);
        }
        Some(headers)
    }
}

impl Cors {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut flag = |key| fields.boolean(key).unwrap_or(false);
        let (credentials, vary) = (flag("accessControlAllowCredentials"), flag("addVaryHeader"));
        Self {
            access_control_allow_credentials: credentials,
            access_control_allow_headers: fields.texts("accessControlAllowHeaders"),
            access_control_allow_methods: fields.texts("accessControlAllowMethods"),
            access_control_allow_origin_list: fields.texts("accessControlAllowOriginList"),
            access_control_allow_origin_list_regex: patterns(
                fields,
                "accessControlAllowOriginListRegex",
            ),
            access_control_expose_headers: fields.texts("accessControlExposeHeaders"),
            access_control_max_age: fields.integer("accessControlMaxAge").unwrap_or(0),
            add_vary_header: vary,
        }
    }
}

impl Security {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut security = Self {
            allowed_hosts: fields.texts("allowedHosts"),
            hosts_proxy_headers: fields.texts("hostsProxyHeaders"),
            ssl_proxy_headers: fields.text_map("sslProxyHeaders"),
            sts_seconds: fields.integer("stsSeconds").unwrap_or(0),
            ..Self::default()
        };
        for (key, flag) in [
            ("stsIncludeSubdomains", &mut security.sts_include_subdomains),
            ("stsPreload", &mut security.sts_preload),
            ("forceSTSHeader", &mut security.force_sts_header),
            ("frameDeny", &mut security.frame_deny),
            ("contentTypeNosniff", &mut security.content_type_nosniff),
            ("browserXssFilter", &mut security.browser_xss_filter),
            ("isDevelopment", &mut security.is_development),
        ] {
            *flag = fields.boolean(key).unwrap_or(false);
        }
        let report_only = &mut security.content_security_policy_report_only;
        for (key, text) in [
            (
                "customFrameOptionsValue",
                &mut security.custom_frame_options_value,
            ),
            (
                "customBrowserXSSValue",
                &mut security.custom_browser_xss_value,
            ),
            (
                "contentSecurityPolicy",
                &mut security.content_security_policy,
            ),
            ("contentSecurityPolicyReportOnly", report_only),
            ("publicKey", &mut security.public_key),
            ("referrerPolicy", &mut security.referrer_policy),
            ("permissionsPolicy", &mut security.permissions_policy),
        ] {
            *text = fields.text(key).unwrap_or_default();
        }
        security
    }
}
