//! The words of OAuth 2.0 (RFC 6749 and its family), both sides of the wire.
//!
//! Knows no socket, file or database; time and randomness come in as [`Clock`] and [`Random`].

pub mod audience;
pub mod authorization_request;
pub mod client;
pub mod client_assertion;
pub mod client_auth;
pub mod clock;
pub mod confirmation;
pub mod dpop;
pub mod error;
pub mod form;
pub mod grant;
pub mod introspection;
pub mod metadata;
pub mod random;
pub mod scope;
pub mod token_request;
pub mod token_response;
pub mod token_type;

pub use clock::Clock;
pub use confirmation::Confirmation;
pub use error::{Error, ErrorBody, ErrorCode};
pub use random::Random;
