//! What tests hand in instead of the world: a clock that stands still, randomness from a seed and
//! servers that answer as told and remember what they saw.
//!
//! Only ever a dev-dependency. Knows nothing of the rooms it tests but the words of OAuth.

pub mod certificates;
pub mod client;
mod clock;
mod fields;
pub mod postgres;
mod random;
pub mod redis;
pub mod server;
pub mod token_endpoint;

pub use clock::FixedClock;
pub use fields::Fields;
pub use random::SeededRandom;
pub use redis::Redis;
pub use server::Server;
