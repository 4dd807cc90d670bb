//! Install configuration (Traefik calls it static): what is read once at the start. Field docs are
//! the user reference.
//!
//! Sources are a file, flags or the environment, never mixed.

use std::collections::BTreeMap;

pub mod entry_points;
pub mod observability;
pub mod providers;

pub use entry_points::EntryPoint;
pub use observability::{AccessLog, AccessLogFormat, Log, Ping};
pub use providers::{FileProvider, Providers};

/// Everything the gateway knows before it reads its first route.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InstallConfig {
    /// `entryPoints`: where it listens. Empty: one called `http` at `:80`.
    pub entry_points: BTreeMap<String, EntryPoint>,
    /// `providers`: where routes come from.
    pub providers: Providers,
    /// `accessLog`; `None`: no access log.
    pub access_log: Option<AccessLog>,
    /// `log`.
    pub log: Log,
    /// `ping`; `None`: no `/ping`.
    pub ping: Option<Ping>,
}
