//! `entryPoints.<name>`: an address the gateway listens at, and how it treats what arrives.

use std::time::Duration;

use ipnet::IpNet;

/// An entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    /// `address`: `[host]:port`, optionally with `/tcp`.
    pub address: String,
    /// `asDefault`: takes the routers that name no entry point. When none says so, all do but the
    /// one called `traefik`. Default false.
    pub as_default: bool,
    /// `http.middlewares`: run before those of the router.
    pub middlewares: Vec<String>,
    /// `http.maxHeaderBytes`. Default 1 MiB.
    pub max_header_bytes: usize,
    /// `http.sanitizePath`: dot segments and double slashes are removed. Default true.
    pub sanitize_path: bool,
    /// `http.encodedCharacters`.
    pub encoded_characters: EncodedCharacters,
    /// `forwardedHeaders`.
    pub forwarded_headers: ForwardedHeaders,
    /// `transport`.
    pub transport: Transport,
}

/// `http.encodedCharacters`: which encoded characters a path may hold. All by default; a path with
/// one that is not allowed answers 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodedCharacters {
    /// `allowEncodedSlash` (`%2F`).
    pub slash: bool,
    /// `allowEncodedBackSlash` (`%5C`).
    pub back_slash: bool,
    /// `allowEncodedNullCharacter` (`%00`).
    pub null_character: bool,
    /// `allowEncodedSemicolon` (`%3B`).
    pub semicolon: bool,
    /// `allowEncodedPercent` (`%25`).
    pub percent: bool,
    /// `allowEncodedQuestionMark` (`%3F`).
    pub question_mark: bool,
    /// `allowEncodedHash` (`%23`).
    pub hash: bool,
}

/// `forwardedHeaders`: whose `X-Forwarded-*` are believed. Nobody's by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForwardedHeaders {
    /// `insecure`: everybody's. Default false.
    pub insecure: bool,
    /// `trustedIPs`: those of these peers.
    pub trusted_ips: Vec<IpNet>,
    /// `connection`: headers that a client's `Connection` header must not remove.
    pub connection: Vec<String>,
    /// `notAppendXForwardedFor`: the peer is not added to `X-Forwarded-For`. Default false.
    pub not_append_x_forwarded_for: bool,
}

/// `transport`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// `respondingTimeouts.readTimeout`: limit of reading a request. Default 60 s; zero means none.
    pub read_timeout: Duration,
    /// `respondingTimeouts.writeTimeout`: limit of writing a response. Default zero: none.
    pub write_timeout: Duration,
    /// `respondingTimeouts.idleTimeout`: limit of a connection between requests. Default 180 s.
    pub idle_timeout: Duration,
    /// `lifeCycle.requestAcceptGraceTimeout`: goes on accepting so long after SIGTERM. Default zero.
    pub request_accept_grace_timeout: Duration,
    /// `lifeCycle.graceTimeOut`: requests in flight may take so long after that. Default 10 s.
    pub grace_timeout: Duration,
}

impl EntryPoint {
    /// An entry point at an address, everything else at its default.
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            as_default: false,
            middlewares: Vec::new(),
            max_header_bytes: 1 << 20,
            sanitize_path: true,
            encoded_characters: EncodedCharacters::default(),
            forwarded_headers: ForwardedHeaders::default(),
            transport: Transport::default(),
        }
    }
}

impl Default for EncodedCharacters {
    fn default() -> Self {
        Self {
            slash: true,
            back_slash: true,
            null_character: true,
            semicolon: true,
            percent: true,
            question_mark: true,
            hash: true,
        }
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            read_timeout: Duration::from_secs(60),
            write_timeout: Duration::ZERO,
            idle_timeout: Duration::from_secs(180),
            request_accept_grace_timeout: Duration::ZERO,
            grace_timeout: Duration::from_secs(10),
        }
    }
}
