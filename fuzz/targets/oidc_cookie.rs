//! Cookies that a browser sends to a route with `oidc`, a line each: they make nobody known, hide no
//! other cookie, and what was sealed opens unless one byte of it changed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| carnet_gateway::fuzzing::oidc_cookie(bytes));
