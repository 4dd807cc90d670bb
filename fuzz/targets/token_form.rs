//! The form of the token endpoint: whatever is read can be written, and is then read the same.
#![no_main]

use carnet_oauth::form;
use carnet_oauth::token_request::TokenRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let pairs = form::parse(body);
    let written = form::encode_pairs(pairs.iter().map(|(k, v)| (k.as_str(), v.into())));
    assert_eq!(form::parse(written.as_bytes()), pairs);
    let _ = TokenRequest::from_parameters(pairs);
});
