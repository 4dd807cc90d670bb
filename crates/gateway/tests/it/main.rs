//! The gateway as a room: real sockets on the loopback interface, configurations as users write
//! them, backends that answer as told.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod access_log;
mod answers;
mod api;
mod backends;
mod clients_tls;
mod comparisons;
mod compile;
mod drain;
mod ear;
mod entry_point;
mod examples;
mod forwarded;
mod frames;
mod hostile;
mod http2;
mod http2_frames;
mod jwt;
mod late_bodies;
mod messages;
mod metrics;
mod middlewares;
mod o_auth_introspection;
mod o_auth_token_exchange;
mod oauth_client_credentials;
mod oidc;
mod ping;
mod proxy;
mod proxy_protocol;
mod reload;
mod resource_metadata;
mod rules;
mod services;
mod stack;
mod stand;
mod tls;
mod token_policy;
mod transports;
mod upgrade;
mod wire;
