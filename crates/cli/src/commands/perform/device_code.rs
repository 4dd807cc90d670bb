//! `perform device-code`: tokens of a person who is at another screen (RFC 8628).

use std::time::Duration;

use carnet_oauth::ErrorBody;
use carnet_oauth::grant::DEVICE_CODE;
use carnet_oauth::token_response::TokenResponse;
use serde::Deserialize;

use super::{Endpoint, token};
use crate::api::{self, Api, Unanswered};
use crate::args::{ApiFlags, DeviceCode};
use crate::output::{self, Failure};
use crate::process::Process;

/// What the server tells a device.
#[derive(Deserialize)]
struct Codes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: String,
    #[serde(default = "usual_interval")]
    interval: u64,
}

/// Seconds, where the server says nothing (section 3.2).
const fn usual_interval() -> u64 {
    5
}

/// Shows the code, waits until somebody has given it, and prints what comes of it.
pub(super) async fn run(
    args: DeviceCode,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let person = &args.person;
    let client = api::credentials(&person.credentials, process)?;
    let api = Api::open(api_flags, process)?;
    let device = Endpoint::new(&api, Endpoint::DEVICE, args.device_auth_url.as_deref())?;
    let endpoint = Endpoint::new(&api, Endpoint::TOKEN, person.token_url.as_deref())?;
    let (scope, audience) = (person.scope.join(" "), person.audience.join(" "));
    let asked = [("scope", scope.as_str()), ("audience", audience.as_str())];
    let answer = device.post(&asked, &client).await;
    let codes: Codes = answer.map_err(token::failure)?.json()?;
    let page = match codes.verification_uri_complete.as_str() {
        "" => &codes.verification_uri,
        complete => complete,
    };
    let text = format!(
        "Open {page} and check that it shows the code {}",
        codes.user_code
    );
    output::say(process, &text);
    let pairs = [
        ("grant_type", DEVICE_CODE),
        ("device_code", codes.device_code.as_str()),
    ];
    let mut pause = Duration::from_secs(codes.interval.max(1));
    loop {
        tokio::time::sleep(pause).await;
        let answer = endpoint.post(&pairs, &client).await;
        let refused = match answer {
            Ok(answer) => {
                let got: TokenResponse = answer.json()?;
                return token::report(&got, process.clock.now()).print(api_flags, process);
            }
            Err(refused) => refused,
        };
        match waits(&refused).as_deref() {
            Some("authorization_pending") => {}
            Some("slow_down") => pause += Duration::from_secs(5),
            _ => return Err(token::failure(refused)),
        }
    }
}

/// The code of a refusal.
fn waits(refused: &Unanswered) -> Option<String> {
    match refused {
        Unanswered::Refused { body, .. } => {
            let body: ErrorBody = serde_json::from_slice(body).ok()?;
            Some(body.error)
        }
        Unanswered::Failed(_) => None,
    }
}
