//! The addresses of this machine.

use std::net::IpAddr;

/// Every interface's addresses, interface by interface as Go lists them; none when the system
/// does not tell.
pub(crate) fn addresses() -> Vec<IpAddr> {
    let mut interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    // The system lists all of IPv4 first.
    interfaces.sort_by_key(|interface| interface.index);
    interfaces.iter().map(if_addrs::Interface::ip).collect()
}
