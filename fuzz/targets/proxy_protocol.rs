//! A header of the PROXY protocol: what it is does not change when more bytes come.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| carnet_gateway::fuzzing::proxy_protocol(bytes));
