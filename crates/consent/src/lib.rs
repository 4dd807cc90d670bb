//! The login and consent application that always says yes, for demonstrations and tests.
//!
//! Takes the place of `hail-hydra` beside any Hydra: each route asks the admin API, accepts, and
//! sends the browser back. Knows no other room and no flag: see [`Options`].

mod admin;
mod consent;
mod failure;
mod login;
mod logout;
mod serve;

pub use serve::{Options, Resolve, serve};
