//! Under which options a client's handshake is made: decided by the name it asks for, before there
//! is a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use carnet_config::rule::HostPattern;
use rustls::ServerConfig;

use super::Policy;

/// Options with the certificates of a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    pub(crate) policy: Arc<Policy>,
    pub(crate) config: Arc<ServerConfig>,
}

/// The options of the names of one entry point. `None` in it: handshakes for the name are refused,
/// because its options are missing or broken.
#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    /// For all other names.
    default: Option<Handshake>,
    exact: BTreeMap<String, Option<Handshake>>,
    /// By what follows the first label.
    one_label: BTreeMap<String, Option<Handshake>>,
    /// For all names that no router has.
    any: Option<Option<Handshake>>,
}

impl Handshakes {
    /// Every name has these.
    pub(crate) fn new(default: Option<Handshake>) -> Self {
        Self {
            default,
            ..Self::default()
        }
    }

    /// The options of the hosts of a router, from now on.
    pub(crate) fn set(&mut self, host: &HostPattern, handshake: Option<Handshake>) {
        match host {
            HostPattern::Any => self.any = Some(handshake),
            HostPattern::Exact(name) => {
                self.exact.insert(name.clone(), handshake);
            }
            HostPattern::OneLabel(suffix) => {
                self.one_label.insert(suffix.clone(), handshake);
            }
        }
    }

    /// The options of a name: lower case, without trailing dot; `None` in it: the client named
    /// none.
    pub(crate) fn of(&self, name: Option<&str>) -> Option<&Handshake> {
        let name = name.unwrap_or_default();
        let exact = self.exact.get(name);
        let found = exact.or_else(|| {
            let (_, suffix) = name.split_at_checked(name.find('.')?)?;
            self.one_label.get(suffix)
        });
        let found = found.or(self.any.as_ref());
        found.unwrap_or(&self.default).as_ref()
    }
}
