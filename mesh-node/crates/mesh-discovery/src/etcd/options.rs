//! Which etcd, as whom, and how patiently.

use std::{fmt, time::Duration};

use etcd_client::{Certificate, ConnectOptions, Identity, TlsOptions};
use mesh_transport::endpoint::Authority;
use mesh_wire::name::Name;

use crate::{error::Error, session};

/// Most endpoints.
pub const ENDPOINTS_MAX: usize = 16;
/// The usual port of etcd.
const PORT: u16 = 2379;

/// Which etcd, as whom, and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The cluster whose nodes are meant.
    pub cluster: Name,
    /// `http://HOST:PORT` or `https://HOST:PORT`, 1 to [`ENDPOINTS_MAX`], all of one kind.
    pub endpoints: Vec<String>,
    /// As whom, when etcd asks.
    pub user: Option<User>,
    /// What `https://` is verified with.
    pub tls: Option<Tls>,
    /// How long a registration outlives its node: 2 s to 1 h.
    pub ttl: Duration,
    /// How long an answer may take: 10 ms to 1 min.
    pub call: Duration,
    /// The first wait before another connection.
    pub backoff_min: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
    /// Spreads waits, and nodes over endpoints: another one for each process.
    pub seed: u64,
}

/// A user of etcd.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Their name.
    pub name: String,
    /// Their password. Not shown by `Debug`.
    pub password: String,
}

/// What TLS is done with, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// The CA of etcd's certificates.
    pub ca: Vec<u8>,
    /// This node's certificate and key, when etcd asks for one. Not shown by `Debug`.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// The name in etcd's certificates, when it is not the host of the endpoint.
    pub server_name: Option<String>,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// Options that can be.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) cluster: Name,
    pub(super) endpoints: Vec<String>,
    pub(super) connect: ConnectOptions,
}

impl Options {
    /// An etcd without user and TLS; a registration outlives its node by ten seconds.
    #[must_use]
    pub fn new(cluster: Name, endpoints: Vec<String>, seed: u64) -> Self {
        Self {
            cluster,
            endpoints,
            user: None,
            tls: None,
            ttl: Duration::from_secs(10),
            call: Duration::from_secs(2),
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            seed,
        }
    }

    pub(super) fn check(&self) -> Result<Checked, Error> {
        let wrong = |what: String| Err(Error::Settings(what));
        if !(1..=ENDPOINTS_MAX).contains(&self.endpoints.len()) {
            return wrong(format!("{} endpoints, not 1 to {ENDPOINTS_MAX}", self.endpoints.len()));
        }
        let mut endpoints = Vec::new();
        for endpoint in &self.endpoints {
            endpoints.push(self.endpoint(endpoint)?);
        }
        if !(Duration::from_secs(2)..=Duration::from_secs(3600)).contains(&self.ttl) {
            return wrong(format!("a lease of {:?}, not 2 s to 1 h", self.ttl));
        }
        if !(Duration::from_millis(10)..=Duration::from_secs(60)).contains(&self.call) {
            return wrong(format!("an answer within {:?}, not 10 ms to 1 min", self.call));
        }
        let mut connect = ConnectOptions::new()
            .with_connect_timeout(self.call)
            // A member that lost its leader is to say so, instead of keeping a watch that nothing comes through.
            .with_require_leader(true)
            .with_auto_token_refresh(true);
        if let Some(user) = &self.user {
            connect = connect.with_user(&*user.name, &*user.password);
        }
        if let Some(tls) = &self.tls {
            connect = connect.with_tls(tls.options());
        }
        Ok(Checked { cluster: self.cluster.clone(), endpoints, connect })
    }

    fn endpoint(&self, endpoint: &str) -> Result<String, Error> {
        let wrong = |what: &str| Error::Settings(format!("the endpoint {endpoint:?}: {what}"));
        let (scheme, rest) =
            endpoint.split_once("://").ok_or_else(|| wrong("it has no http:// or https://"))?;
        match (scheme, &self.tls) {
            ("http", None) | ("https", Some(_)) => {}
            ("http", Some(_)) => return Err(wrong("it is http://, and there is a CA for https://")),
            ("https", None) => return Err(wrong("it is https://, and there is no CA")),
            _ => return Err(wrong("it is neither http:// nor https://")),
        }
        let place = Authority::parse(rest.strip_suffix('/').unwrap_or(rest), PORT);
        let place = place.map_err(|error| wrong(&error.to_string()))?;
        Ok(format!("{scheme}://{place}"))
    }

    pub(super) fn of_session(&self) -> session::Options {
        session::Options {
            endpoints: self.endpoints.clone(),
            ttl: self.ttl,
            call: self.call,
            backoff_min: self.backoff_min,
            backoff_max: self.backoff_max,
            seed: self.seed,
        }
    }
}

impl Tls {
    pub(crate) fn options(&self) -> TlsOptions {
        let mut options = TlsOptions::new().ca_certificate(Certificate::from_pem(&self.ca));
        if let Some((cert, key)) = &self.identity {
            options = options.identity(Identity::from_pem(cert, key));
        }
        if let Some(name) = &self.server_name {
            options = options.domain_name(name);
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use mesh_wire::code::Code;

    use super::*;

    fn options(endpoints: &[&str]) -> Options {
        Options::new(Name::new("c").unwrap(), endpoints.iter().map(ToString::to_string).collect(), 1)
    }

    #[test]
    fn endpoints_are_urls_of_one_kind() {
        let checked = options(&["http://a", "http://[::1]:7/"]).check().unwrap();
        assert_eq!(checked.endpoints, ["http://a:2379", "http://[::1]:7"]);
        for wrong in
            ["", "a:2379", "ftp://a", "http://", "http://a/b", "http://u@a", "http://a:0", "https://a"]
        {
            assert_eq!(options(&[wrong]).check().unwrap_err().code(), Code::DiscoveryInvalid, "{wrong}");
        }
        let tls = Some(Tls { ca: Vec::new(), identity: None, server_name: None });
        assert!(Options { tls: tls.clone(), ..options(&["https://a"]) }.check().is_ok());
        assert!(Options { tls, ..options(&["https://a", "http://a"]) }.check().is_err());
    }

    #[test]
    fn limits_hold_at_one_more_and_one_less() {
        assert!(options(&[]).check().is_err());
        assert!(options(&["http://a"; ENDPOINTS_MAX]).check().is_ok());
        assert!(options(&["http://a"; ENDPOINTS_MAX + 1]).check().is_err());
        let millis = Duration::from_millis;
        for (ttl, good) in [(1_999, false), (2_000, true), (3_600_000, true), (3_600_001, false)] {
            assert_eq!(Options { ttl: millis(ttl), ..options(&["http://a"]) }.check().is_ok(), good, "{ttl}");
        }
        for (call, good) in [(9, false), (10, true), (60_000, true), (60_001, false)] {
            assert_eq!(
                Options { call: millis(call), ..options(&["http://a"]) }.check().is_ok(),
                good,
                "{call}"
            );
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let user = Some(User { name: "mesh".into(), password: "hunter2".into() });
        let tls =
            Some(Tls { ca: vec![], identity: Some((b"C".to_vec(), b"hunter3".to_vec())), server_name: None });
        let shown = format!("{:?}", Options { user, tls, ..options(&["https://a"]) });
        assert!(shown.contains("mesh") && !shown.contains("hunter"), "{shown}");
    }
}
