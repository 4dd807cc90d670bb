//! What the gateway itself answers. Knows the state of the process; refuses to know the traffic.
//! `offers.rs` lists it, `routers.rs` leads there. `endpoint.rs` is `/api`, `ping.rs` is for load
//! balancers and orchestrators, `readiness.rs` what it tells them, `prometheus.rs` is `/metrics`;
//! `redirections.rs` sends plain requests to where they are encrypted.

mod dashboard;
mod endpoint;
mod noop;
mod offers;
mod pages;
mod ping;
mod prometheus;
mod readiness;
mod redirections;
mod routers;
mod runtime;
mod tokens;

use dashboard::Dashboard;
use endpoint::{About, ApiEndpoint};
use noop::Noop;
pub(crate) use offers::{Offers, State};
use ping::PingEndpoint;
use prometheus::PrometheusEndpoint;
pub use readiness::Readiness;
pub(crate) use redirections::Redirections;
pub(crate) use routers::PING;
use routers::routers;
