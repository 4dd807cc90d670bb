//! What stands at the end of a chain: servers behind a balancer, other services, or the gateway
//! itself. Knows requests and servers; refuses to know rules and middlewares. `strategy/` chooses,
//! `member.rs` is a server and `health_check/` what is known of it, `proxy.rs` carries one request
//! to one server and its answer back.

mod expect;
mod failover;
pub(crate) mod gunzip;
mod headers;
mod health_check;
mod load_balancer;
mod member;
mod mirroring;
mod proxy;
mod repeatable;
mod sticky;
mod strategy;
mod trailers;
mod upgrade;
mod websocket;
mod weighted;

pub(crate) use failover::Failover;
pub(crate) use headers::{CREDENTIALS, KeepForwardedFor, Minted, has_token, tokens};
pub(crate) use health_check::rounds;
pub(crate) use load_balancer::{Clients, LoadBalancer};
pub(crate) use member::Member;
pub(crate) use mirroring::Mirroring;
pub(crate) use repeatable::{Collected, Repeatable, Unread, collect, peeked, read};
pub(crate) use upgrade::Tunnels;
pub(crate) use weighted::Weighted;
