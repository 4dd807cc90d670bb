//! A stranger's headers: none of those that are ours comes through.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: &str| carnet_gateway::fuzzing::forwarded(lines));
