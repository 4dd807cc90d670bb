//! Certificates of servers that run in tests.

/// A certificate that signed itself, for `as.test`, `localhost` and 127.0.0.1, for a hundred years.
#[derive(Debug, Clone, Copy)]
pub struct Certificate {
    /// PEM.
    pub certificate: &'static str,
    /// The private key, PEM.
    pub key: &'static str,
}

/// One.
pub const FIRST: Certificate = Certificate {
    certificate: include_str!("first.pem"),
    key: include_str!("first.key"),
};

/// Another one for the same names.
pub const SECOND: Certificate = Certificate {
    certificate: include_str!("second.pem"),
    key: include_str!("second.key"),
};
