//! Where requests come in. Knows sockets, HTTP's dangers and whom to believe; refuses to know where
//! a request goes. `accept.rs` takes connections, `proxy_protocol.rs` learns for whom they speak,
//! `handshake.rs` encrypts them, `wire.rs` watches their bytes, `admit.rs` takes or refuses a
//! request, `forwarded.rs` and `path.rs` clean it, `line.rs` is its way through the house.

mod accept;
mod admit;
mod alphabet;
mod deadline;
mod forwarded;
mod handshake;
mod head;
#[cfg(any(fuzzing, test))]
pub(crate) mod hostile;
mod line;
mod numbering;
mod path;
mod proxy_protocol;
mod rest;
mod traffic;
mod via;
mod wire;

pub(crate) use accept::{Leave, Listener, serve};
pub(crate) use line::House;
pub(crate) use numbering::Numbering;
