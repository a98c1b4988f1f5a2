//! From a host to its addresses.

use std::net::SocketAddr;

use tokio::net::lookup_host;

use super::Error;
use crate::endpoint::{Authority, Host};

/// Most addresses of one name that are tried.
pub(super) const ADDRESSES_MAX: usize = 8;

/// The addresses of `authority`, in the order in which the system wants them tried.
pub(super) async fn addresses(authority: &Authority) -> Result<Vec<SocketAddr>, Error> {
    match authority.host() {
        Host::Address(address) => Ok(vec![SocketAddr::new(*address, authority.port())]),
        Host::Name(name) => {
            let found = lookup_host((name.as_str(), authority.port()))
                .await
                .map_err(|error| Error::unresolved(authority, error))?;
            let mut addresses: Vec<SocketAddr> = Vec::new();
            for address in found {
                // Some systems list an address once for each protocol.
                if addresses.len() < ADDRESSES_MAX && !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            Ok(addresses)
        }
    }
}
