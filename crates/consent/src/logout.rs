//! `/logout`: whoever wants to leave may. The original has no such page, though it is told to.

use std::sync::Arc;

use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::json;

use crate::admin::{Admin, Flow};
use crate::failure::{Failure, Redirect};

/// Query of the page.
#[derive(Deserialize)]
pub(crate) struct Parameters {
    logout_challenge: Option<String>,
}

/// Accepts the logout and sends the browser on.
pub(crate) async fn answer(
    State(admin): State<Arc<Admin>>,
    Query(parameters): Query<Parameters>,
) -> Result<Redirect, Failure> {
    let challenge = Flow::Logout.challenge(parameters.logout_challenge)?;
    admin.accept(Flow::Logout, &challenge, &json!({})).await
}
