//! What a provider answers.
#![no_main]

use carnet_oauth::token_response::TokenResponse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(response) = TokenResponse::from_json(body) {
        let _ = response.is_bearer();
    }
});
