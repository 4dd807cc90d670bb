//! Objects that somebody expects to be served and that nothing here has a use for.

use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::nearest::suggestion;
use carnet_config::not_yet;

use super::manifests::ManifestObject;

/// The group of Traefik's kinds, and the version that is read.
const TRAEFIK: (&str, &str) = ("traefik.io", "v1alpha1");

/// That of Traefik 2.
const TRAEFIK_2: &str = "traefik.containo.us";

/// That of the Gateway API.
const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// Traefik's kinds that are served.
const SERVED: [&str; 6] = [
    "IngressRoute",
    "Middleware",
    "ServersTransport",
    "TLSOption",
    "TLSStore",
    "TraefikService",
];

/// Those that are not.
const NOT_YET: [&str; 4] = [
    "IngressRouteTCP",
    "IngressRouteUDP",
    "MiddlewareTCP",
    "ServersTransportTCP",
];

/// What the user of an object that is passed over should know; `None`: nothing, since it is no
/// business of a gateway.
pub fn unserved(object: &ManifestObject) -> Option<Diagnostic> {
    let (kind, page) = (object.identity.kind.as_str(), not_yet::PAGE);
    let (group, version) = TRAEFIK;
    let (key, message) = match object.identity.group.as_str() {
        TRAEFIK_2 => (
            "apiVersion",
            format!("`{TRAEFIK_2}` is the group of Traefik 2; write `{group}/{version}`"),
        ),
        GATEWAY_API => (
            "apiVersion",
            format!(
                "the Gateway API is not served yet; write an IngressRoute; see {page}#providers"
            ),
        ),
        it if it == group && NOT_YET.contains(&kind) => (
            "kind",
            format!("`{kind}` is not served yet; see {page}#kubernetes-objects"),
        ),
        it if it == group && !SERVED.contains(&kind) => {
            let near = suggestion(kind, SERVED);
            ("kind", format!("unknown kind `{kind}`{near}"))
        }
        _ => return None,
    };
    let written = object.node.member(key);
    Some(Diagnostic {
        severity: Severity::Error,
        object: object.identity.to_string(),
        key: key.to_owned(),
        message,
        position: written.map(|node| node.position.clone()),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::{Objects, manifests};
    use super::*;

    fn told(api_version: &str, kind: &str) -> Option<String> {
        let text = format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n");
        let object = manifests::parse(&text, "a.yaml").unwrap().objects.remove(0);
        let is_served = Objects::default().insert(&object).unwrap();
        let told = unserved(&object).map(|finding| finding.to_string());
        assert!(!is_served || told.is_none(), "{told:?}");
        told
    }

    #[test]
    fn what_traefik_serves_and_we_do_not_is_told_and_what_is_nobodys_is_not() {
        for (api_version, kind, expected) in [
            (
                "traefik.containo.us/v1alpha1",
                "IngressRoute",
                "a.yaml:1:13: error: IngressRoute default/a: apiVersion: `traefik.containo.us` is the group of Traefik 2; write `traefik.io/v1alpha1`",
            ),
            (
                "traefik.io/v1alpha1",
                "Middlewares",
                "a.yaml:2:7: error: Middlewares default/a: kind: unknown kind `Middlewares`; did you mean `Middleware`?",
            ),
            (
                "traefik.io/v1alpha1",
                "IngressRouteTCP",
                "a.yaml:2:7: error: IngressRouteTCP default/a: kind: `IngressRouteTCP` is not served yet; see docs/reference/not-yet.md#kubernetes-objects",
            ),
            (
                "gateway.networking.k8s.io/v1",
                "HTTPRoute",
                "a.yaml:1:13: error: HTTPRoute default/a: apiVersion: the Gateway API is not served yet; write an IngressRoute; see docs/reference/not-yet.md#providers",
            ),
        ] {
            assert_eq!(told(api_version, kind).as_deref(), Some(expected));
        }
        for kind in SERVED {
            assert_eq!(told("traefik.io/v1alpha1", kind), None);
        }
        for (api_version, kind) in [("v1", "ServiceAccount"), ("batch/v1", "CronJob")] {
            assert_eq!(told(api_version, kind), None);
        }
    }
}
