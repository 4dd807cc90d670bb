//! `/consent`: everything that is requested is granted, and nothing else.

use std::sync::Arc;

use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use crate::admin::{Admin, Flow};
use crate::failure::{Failure, Redirect};

/// Query of the page.
#[derive(Deserialize)]
pub(crate) struct Parameters {
    consent_challenge: Option<String>,
}

/// What is read of the consent request. Go's JSON writes an empty list as `null`.
#[derive(Deserialize)]
struct Request {
    requested_scope: Option<Vec<String>>,
    requested_access_token_audience: Option<Vec<String>>,
}

/// The acceptance.
#[derive(Serialize)]
struct Acceptance {
    grant_scope: Vec<String>,
    grant_access_token_audience: Vec<String>,
}

/// Accepts the consent and sends the browser on.
pub(crate) async fn answer(
    State(admin): State<Arc<Admin>>,
    Query(parameters): Query<Parameters>,
) -> Result<Redirect, Failure> {
    let challenge = Flow::Consent.challenge(parameters.consent_challenge)?;
    let request: Request = admin.request(Flow::Consent, &challenge).await?;
    let acceptance = Acceptance {
        grant_scope: request.requested_scope.unwrap_or_default(),
        grant_access_token_audience: request.requested_access_token_audience.unwrap_or_default(),
    };
    admin.accept(Flow::Consent, &challenge, &acceptance).await
}
