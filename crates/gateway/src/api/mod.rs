//! What the gateway itself answers. Knows the state of the process; refuses to know the traffic.
//! `ping.rs` is for load balancers and orchestrators, `readiness.rs` what it tells them.

mod noop;
mod ping;
mod readiness;

pub(crate) use noop::Noop;
pub(crate) use ping::PingEndpoint;
pub use readiness::Readiness;
