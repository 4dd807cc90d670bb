//! What a client says of itself when it registers: whatever is read can be written, and is then read
//! the same, its lifetimes and limits too.
#![no_main]

use carnet_oauth::client::Client;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(client) = serde_json::from_slice::<Client>(body) else {
        return;
    };
    let written = serde_json::to_value(&client).expect("it is written");
    let again: Client = serde_json::from_value(written.clone()).expect("it is read again");
    assert_eq!(serde_json::to_value(&again).expect("and written"), written);
    let scopes: Vec<&str> = client.scopes().collect();
    assert!(scopes.iter().all(|scope| !scope.is_empty()));
    let _ = (
        client.is_public(),
        client.allows_grant("authorization_code"),
    );
});
