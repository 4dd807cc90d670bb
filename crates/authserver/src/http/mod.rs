//! The HTTP of the server: parse, call, render; decides nothing. One file an endpoint, named after
//! its URL, in [`public`] (port 4444) and [`admin`] (port 4445). The only place where an error
//! becomes a status is [`error`].

pub(crate) mod admin;
mod answer;
mod body;
mod caller;
mod client_certificate;
mod cookie;
mod cors;
mod edge;
mod error;
mod health;
pub(crate) mod metrics;
mod not_found;
mod openapi;
mod page;
pub(crate) mod public;
pub(crate) mod request_log;
pub(crate) mod serve;
mod trace;

use std::sync::Arc;

use axum::extract::State;

use crate::domain::Authority;

/// What every handler gets.
type Shared = State<Arc<Authority>>;
