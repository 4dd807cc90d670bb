//! A YAML or TOML document, up to the routing configuration that it describes.
#![no_main]

use carnet_config::document::{parse_toml, parse_yaml};
use carnet_config::routing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for node in parse_yaml(text, "fuzz.yaml").unwrap_or_default() {
        node.to_json();
        let _ = routing::read(&node);
    }
    if let Ok(node) = parse_toml(text, "fuzz.toml") {
        node.to_json();
        let _ = routing::read(&node);
    }
});
