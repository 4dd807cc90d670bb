//! What stands at the end of a chain: servers behind a balancer, services by weight, or the gateway
//! itself. Knows requests and servers; refuses to know rules and middlewares. `balance.rs` chooses,
//! `proxy.rs` carries one request to one server and its answer back.

mod balance;
mod expect;
mod gunzip;
mod headers;
mod load_balancer;
mod proxy;
mod trailers;
mod upgrade;
mod websocket;
mod weighted;

pub(crate) use headers::{KeepForwardedFor, has_token, tokens};
pub(crate) use load_balancer::{Clients, LoadBalancer};
pub(crate) use upgrade::Tunnels;
pub(crate) use weighted::Weighted;
