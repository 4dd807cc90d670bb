//! The descriptions of both ports in OpenAPI 3.1, made of the handlers when they become routes.

use std::sync::{Arc, OnceLock};

use axum::{Extension, http::StatusCode, response::Response, routing::MethodRouter};
use utoipa::openapi::{Info, OpenApi, Paths};

use crate::http::answer;

/// The description, as its handler gets it.
pub(super) type Description = Extension<Slot>;

/// Where a description will be once all routes are known, its own among them.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<OnceLock<OpenApi>>);

impl Slot {
    /// A route whose handler is given what will be here.
    pub(super) fn of<S: Clone + Send + Sync + 'static>(
        &self,
        route: MethodRouter<S>,
    ) -> MethodRouter<S> {
        route.layer(Extension(self.clone()))
    }

    /// Puts the finished description here.
    pub(super) fn fill(&self, description: OpenApi) {
        // There is one caller, so the place is empty.
        let _ = self.0.set(description);
    }
}

/// A description without paths, to which routes add themselves.
pub(super) fn begin(title: &str, text: &str, version: &str) -> OpenApi {
    let mut info = Info::new(title, version);
    info.description = Some(text.to_owned());
    OpenApi::new(info, Paths::new())
}

/// The answer.
pub(super) fn shown(Slot(description): &Slot) -> Response {
    answer::json(StatusCode::OK, answer::JSON, &description.get())
}
