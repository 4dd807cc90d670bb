//! The names in a path. One that is no UTF-8 names nothing.

use axum::{
    extract::{FromRequestParts, Path as Segments},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::{domain::AdminError, http::error::AdminFailure};

/// One name, or a tuple of them.
pub(in crate::http) struct Path<T>(pub(in crate::http) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = AdminFailure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminFailure> {
        match Segments::from_request_parts(parts, state).await {
            Ok(Segments(names)) => Ok(Self(names)),
            Err(_) => Err(AdminError::Malformed("The path is no UTF-8.".to_owned()).into()),
        }
    }
}
