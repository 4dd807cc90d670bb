//! A rule in Traefik's syntax: what parses can be asked.
#![no_main]

use carnet_config::rule::{parse, priority};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    assert!(priority(text) >= 0);
    let Ok(rule) = parse(text) else { return };
    let matchers = rule.matchers().len();
    let mut asked = 0;
    rule.holds(&mut |_| {
        asked += 1;
        asked % 2 == 0
    });
    assert!(asked <= matchers);
});
