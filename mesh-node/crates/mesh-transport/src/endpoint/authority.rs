//! The part of a network endpoint that says where: a host and a port.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The port that a node listens on for clients when nothing else is said.
pub const PORT_DEFAULT: u16 = 7400;
/// Longest host name, in bytes (RFC 1035, section 2.3.4).
pub const HOST_BYTES: usize = 253;
/// Longest part of a host name between two dots, in bytes.
const LABEL_BYTES: usize = 63;

/// A host and a port: `node-1.example:7400`, `192.0.2.7:7400`, `[2001:db8::7]:7400`.
///
/// Displayed with its port; an IPv6 address stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    host: Host,
    port: u16,
}

/// A host: by address, or by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address; nothing is asked of the name service.
    Address(IpAddr),
    /// A name, in lower case.
    Name(String),
}

impl Authority {
    /// Takes `HOST` or `HOST:PORT`; `default_port` where there is none.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, Malformed> {
        let (host, port) = split(text)?;
        let host = match host {
            Written::Bracketed(address) => {
                let address: Ipv6Addr = address.parse().map_err(|_| Malformed::Ipv6)?;
                Host::Address(address.into())
            }
            Written::Plain(host) => host_of(host)?,
        };
        let port = match port {
            // `parse` would take a sign.
            Some(port) if !port.starts_with(|c: char| c.is_ascii_digit()) => return Err(Malformed::Port),
            Some(port) => port.parse().map_err(|_| Malformed::Port)?,
            None => default_port,
        };
        if port == 0 {
            return Err(Malformed::Port);
        }
        Ok(Self { host, port })
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as a certificate names it: without brackets.
    #[must_use]
    pub fn host_text(&self) -> String {
        match &self.host {
            Host::Address(address) => address.to_string(),
            Host::Name(name) => name.clone(),
        }
    }

    /// Whether it is this machine for certain: a loopback address, or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Address(address) => address.to_canonical().is_loopback(),
            Host::Name(name) => name == "localhost",
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            Host::Address(address) => write!(f, "{address}:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// What is wrong with a host and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// No host.
    #[error("there is no host")]
    NoHost,
    /// A path, a query or a user.
    #[error("there is only a host and a port, nothing else")]
    Extra,
    /// The host is no name and no address.
    #[error("the host is neither a name nor an address")]
    Host,
    /// What stands in brackets is no IPv6 address.
    #[error("what is in brackets is no IPv6 address")]
    Ipv6,
    /// An IPv6 address without brackets.
    #[error("an IPv6 address is written in brackets")]
    NoBrackets,
    /// The port is not from 1 to 65,535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

enum Written<'a> {
    Bracketed(&'a str),
    Plain(&'a str),
}

fn split(text: &str) -> Result<(Written<'_>, Option<&str>), Malformed> {
    if text.contains(['/', '?', '#', '@']) {
        return Err(Malformed::Extra);
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(Malformed::Ipv6)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((Written::Bracketed(address), Some(port))),
            None if rest.is_empty() => Ok((Written::Bracketed(address), None)),
            None => Err(Malformed::Port),
        };
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(Malformed::NoBrackets),
        Some((host, port)) => Ok((Written::Plain(host), Some(port))),
        None => Ok((Written::Plain(text), None)),
    }
}

fn host_of(text: &str) -> Result<Host, Malformed> {
    if text.is_empty() {
        return Err(Malformed::NoHost);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Host::Address(address));
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_BYTES
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // Only digits and dots is an address that was misspelt, and a certificate could never name it.
    let is_misspelt = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if text.len() > HOST_BYTES || is_misspelt || !text.split('.').all(is_label) {
        return Err(Malformed::Host);
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is shown is read as the same, whatever was typed; and nothing panics.
        #[test]
        fn what_is_shown_is_read_again(text in "[a-zA-Z0-9.:_/@\\[\\]%ö -]{0,24}", known in any::<(IpAddr, u16)>()) {
            for text in [text, SocketAddr::from(known).to_string()] {
                if let Ok(authority) = parse(&text) {
                    prop_assert_eq!(parse(&authority.to_string()), Ok(authority), "{}", text);
                }
            }
        }
    }

    fn parse(text: &str) -> Result<Authority, Malformed> {
        Authority::parse(text, PORT_DEFAULT)
    }

    #[test]
    fn texts_and_what_they_mean() {
        let table = [
            ("node", "node:7400", false),
            ("Node-1.Example:7500", "node-1.example:7500", false),
            ("a_b:1", "a_b:1", false),
            ("192.0.2.7", "192.0.2.7:7400", false),
            ("127.0.0.1:65535", "127.0.0.1:65535", true),
            ("127.9.9.9", "127.9.9.9:7400", true),
            ("[::1]", "[::1]:7400", true),
            ("[2001:DB8::7]:80", "[2001:db8::7]:80", false),
            ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]:7400", true),
            ("localhost", "localhost:7400", true),
            ("LOCALHOST:9", "localhost:9", true),
            ("localhost.example", "localhost.example:7400", false),
        ];
        for (text, shown, loopback) in table {
            let authority = parse(text).unwrap();
            assert_eq!(authority.to_string(), shown, "{text}");
            assert_eq!(parse(shown).unwrap(), authority, "{text}");
            assert_eq!(authority.is_loopback(), loopback, "{text}");
        }
        assert_eq!(parse("[::1]:9").unwrap().host_text(), "::1");
    }

    #[test]
    fn texts_that_are_refused() {
        let table = [
            ("", Malformed::NoHost),
            (":7400", Malformed::NoHost),
            ("node/path", Malformed::Extra),
            ("node:7400/", Malformed::Extra),
            ("user@node", Malformed::Extra),
            ("node?x", Malformed::Extra),
            ("node#x", Malformed::Extra),
            ("::1", Malformed::NoBrackets),
            ("a:1:2", Malformed::NoBrackets),
            ("[::1", Malformed::Ipv6),
            ("[node]", Malformed::Ipv6),
            ("[127.0.0.1]", Malformed::Ipv6),
            ("[fe80::1%eth0]", Malformed::Ipv6),
            ("[::1]7400", Malformed::Port),
            ("node:", Malformed::Port),
            ("node:0", Malformed::Port),
            ("node:65536", Malformed::Port),
            ("node:+1", Malformed::Port),
            ("node:http", Malformed::Port),
            ("no de", Malformed::Host),
            ("node.", Malformed::Host),
            ("a..b", Malformed::Host),
            ("-a", Malformed::Host),
            ("a-", Malformed::Host),
            ("nöde", Malformed::Host),
            ("1.2.3", Malformed::Host),
            ("256.1.1.1", Malformed::Host),
        ];
        for (text, wrong) in table {
            assert_eq!(parse(text), Err(wrong), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_bounded() {
        let label = "l".repeat(LABEL_BYTES);
        assert!(parse(&label).is_ok());
        assert_eq!(parse(&format!("{label}l")), Err(Malformed::Host));
        let longest = format!("{label}.{label}.{label}.{}", "l".repeat(HOST_BYTES - 3 * LABEL_BYTES - 3));
        assert_eq!(longest.len(), HOST_BYTES);
        assert!(parse(&longest).is_ok());
        assert_eq!(parse(&format!("{longest}l")), Err(Malformed::Host));
    }
}
