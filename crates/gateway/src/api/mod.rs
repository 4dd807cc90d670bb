//! What the gateway itself answers. Knows the state of the process; refuses to know the traffic.
//! `ping.rs` is for load balancers and orchestrators, `readiness.rs` what it tells them;
//! `redirections.rs` sends plain requests to where they are encrypted.

mod noop;
mod ping;
mod readiness;
mod redirections;

pub(crate) use noop::Noop;
pub(crate) use ping::PingEndpoint;
pub use readiness::Readiness;
pub(crate) use redirections::Redirections;
