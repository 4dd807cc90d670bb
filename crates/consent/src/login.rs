//! `/login`: everybody is the same user.

use std::sync::Arc;

use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use crate::admin::{Admin, Flow};
use crate::failure::{Failure, Redirect};

/// Who everybody is.
const SUBJECT: &str = "foo@bar.com";

/// Query of the page.
#[derive(Deserialize)]
pub(crate) struct Parameters {
    login_challenge: Option<String>,
}

/// What is read of the login request.
#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    skip: bool,
    #[serde(default)]
    subject: String,
}

/// The acceptance; nothing is remembered.
#[derive(Serialize)]
struct Acceptance<'a> {
    subject: &'a str,
}

/// Accepts the login and sends the browser on.
pub(crate) async fn answer(
    State(admin): State<Arc<Admin>>,
    Query(parameters): Query<Parameters>,
) -> Result<Redirect, Failure> {
    let challenge = Flow::Login.challenge(parameters.login_challenge)?;
    let request: Request = admin.request(Flow::Login, &challenge).await?;
    // Whom Hydra already knows must be accepted under the same name.
    let subject = if request.skip {
        &request.subject
    } else {
        SUBJECT
    };
    admin
        .accept(Flow::Login, &challenge, &Acceptance { subject })
        .await
}
