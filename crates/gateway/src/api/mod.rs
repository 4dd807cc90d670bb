//! What the gateway itself answers. Knows the state of the process; refuses to know the traffic.
//! `ping.rs` is for load balancers and orchestrators, `readiness.rs` what it tells them;
//! `redirections.rs` sends plain requests to where they are encrypted.

mod noop;
mod ping;
mod prometheus;
mod readiness;
mod redirections;
mod routers;

pub(crate) use noop::Noop;
pub(crate) use ping::PingEndpoint;
pub(crate) use prometheus::PrometheusEndpoint;
pub use readiness::Readiness;
pub(crate) use redirections::Redirections;
pub(crate) use routers::{PING, routers};
