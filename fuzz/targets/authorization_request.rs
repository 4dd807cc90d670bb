//! A request to the authorization endpoint: what is read has no parameter twice that must not be,
//! and no word twice, and is read the same from the query that a browser carries on.
#![no_main]

use carnet_oauth::authorization_request::{AuthorizationRequest, MAX_QUERY_LENGTH};
use carnet_oauth::form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    let Ok(request) = AuthorizationRequest::parse(query) else {
        return;
    };
    assert!(query.len() <= MAX_QUERY_LENGTH);
    let pairs = form::parse(query.as_bytes());
    let written = form::encode_pairs(pairs.iter().map(|(k, v)| (k.as_str(), v.into())));
    // Written anew it may be longer, and too long.
    if let Ok(again) = AuthorizationRequest::parse(&written) {
        assert_eq!(again, request);
    }
    for (name, value) in &pairs {
        let is_twice = pairs.iter().filter(|(other, _)| other == name).count() > 1;
        let is_list = ["audience", "resource"].contains(&name.as_str());
        assert!(!is_twice || is_list, "{name}");
        if name == "client_id" {
            assert_eq!(request.client_id.as_deref().unwrap_or_default(), value);
        }
        if name == "redirect_uri" {
            assert_eq!(request.redirect_uri.as_deref().unwrap_or_default(), value);
        }
    }
    for words in [&request.scopes, &request.audiences, &request.resources] {
        for (at, word) in words.iter().enumerate() {
            assert!(!word.is_empty() && !words[..at].contains(word));
        }
    }
    assert_eq!(
        request.is_openid(),
        request.scopes.iter().any(|name| name == "openid")
    );
});
