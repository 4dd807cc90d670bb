//! The bytes of a server's connection: read alike however they are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| carnet_gateway::fuzzing::answer(bytes));
