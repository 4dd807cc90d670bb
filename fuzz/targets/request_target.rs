//! A request's target: once clean it stays so, and has no way up.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| carnet_gateway::fuzzing::target(text));
