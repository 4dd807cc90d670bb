//! Entry points.

use carnet_config::duration;
use carnet_config::install::EntryPoint;
use serde_json::{Map, Value, json};

/// An entry point's options.
pub(in crate::api) fn shown(options: &EntryPoint) -> Map<String, Value> {
    let transport = &options.transport;
    let trusted = options.forwarded_headers.trusted_ips.iter();
    let mut http = Map::new();
    if !options.middlewares.is_empty() {
        http.insert("middlewares".to_owned(), json!(options.middlewares));
    }
    if let Some(tls) = &options.tls {
        let resolver = tls.cert_resolver.as_deref();
        let tls = json!({"options": tls.options, "certResolver": resolver});
        http.insert("tls".to_owned(), tls);
    }
    http.insert("sanitizePath".to_owned(), json!(options.sanitize_path));
    let bytes = json!(options.max_header_bytes);
    http.insert("maxHeaderBytes".to_owned(), bytes);
    let value = json!({
        "address": options.address,
        "asDefault": options.as_default,
        "transport": {
            "lifeCycle": {
                "requestAcceptGraceTimeout": duration::text(transport.request_accept_grace_timeout),
                "graceTimeOut": duration::text(transport.grace_timeout),
            },
            "respondingTimeouts": {
                "readTimeout": duration::text(transport.read_timeout),
                "writeTimeout": duration::text(transport.write_timeout),
                "idleTimeout": duration::text(transport.idle_timeout),
            },
        },
        "forwardedHeaders": {
            "insecure": options.forwarded_headers.insecure,
            "trustedIPs": trusted.map(ToString::to_string).collect::<Vec<_>>(),
        },
        "http": http,
    });
    match value {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}
