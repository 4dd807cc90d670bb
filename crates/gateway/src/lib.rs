//! The data plane: one request, one straight line.
//!
//! Knows typed options and sockets; refuses to know configuration text, Kubernetes objects and the
//! authorization server, which it meets over HTTP as anybody does. Start at `entry_point/` where
//! a request comes in, or at `snapshot/` where a configuration does.

pub mod body;
pub mod error;
pub mod middleware;
mod respond;
mod supplies;
mod token_source;
pub mod upstream;

pub use supplies::{Resolve, Supplies};
