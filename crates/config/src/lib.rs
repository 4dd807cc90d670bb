//! The language users write: Traefik's install (static) and routing (dynamic) configuration and
//! Hydra's configuration keys, as text in and typed options plus diagnostics out.
//!
//! Knows nothing of files, sockets, Kubernetes or the gateway. Start at [`document`] (text to a
//! tree with positions), go on to [`routing`] and [`install`] (trees to typed options).

pub mod claims;
pub mod condition;
pub mod diagnostics;
pub mod document;
pub mod duration;
pub mod install;
pub mod merge;
pub mod nearest;
pub mod not_yet;
mod outbound;
pub mod routing;
pub mod rule;
mod secret;
mod shared;
mod syntax;
mod token;

pub use shared::Shared;
