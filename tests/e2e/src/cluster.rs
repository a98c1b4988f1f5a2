//! Nodes that form a cluster.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU16, Ordering},
};

use crate::{Authority, CLUSTER, Certificates, NodeBuilder, RunningNode, Subject, Validity};

/// Where a node takes its peers: an address that no other process of the tests has, at a port that no socket is given by
/// chance.
pub fn place() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(7401);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let ip = Ipv4Addr::new(127, high.wrapping_add(1), middle, low);
    SocketAddr::from((ip, NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Nodes of one cluster that keep registers, and what is needed to start more of them.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes, in the order in which they were started.
    pub nodes: Vec<RunningNode>,
    authority: Authority,
    certificates: Certificates,
    places: Vec<SocketAddr>,
    founders: Vec<String>,
}

impl Cluster {
    /// A new cluster of these nodes.
    ///
    /// # Panics
    /// When one does not come up.
    pub fn of(names: &[&str]) -> Self {
        let authority = Authority::new("authority");
        let certificates = Certificates::trusting(&[&authority]);
        let places = names.iter().map(|_| place()).collect();
        let founders = names.iter().map(|name| (*name).to_owned()).collect();
        let mut this = Self { nodes: Vec::new(), authority, certificates, places, founders };
        for (index, name) in names.iter().enumerate() {
            let node = this.builder(name, this.places[index]).bootstrap(names).start();
            this.nodes.push(node);
        }
        this
    }

    /// One more node, which asks the others for a number.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn join(&mut self, name: &str) -> &mut RunningNode {
        let node = self.builder(name, place()).start();
        self.nodes.push(node);
        self.nodes.last_mut().expect("one was just added")
    }

    /// The names of its first nodes.
    pub fn founders(&self) -> &[String] {
        &self.founders
    }

    /// The certificates of all of them.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// Where one of its first nodes takes its peers.
    pub fn place(&self, index: usize) -> SocketAddr {
        self.places[index]
    }

    fn builder(&self, name: &str, place: SocketAddr) -> NodeBuilder {
        let issued = self.authority.issue(Subject::Node(name), Validity::Now);
        self.certificates.put_node(name, &issued);
        let others: Vec<String> = self.places.iter().map(ToString::to_string).collect();
        let mut builder = NodeBuilder::default().with_http().with_registers();
        for (flag, value) in [
            ("--node", name.to_owned()),
            ("--cluster", CLUSTER.to_owned()),
            ("--certs", self.certificates.path().display().to_string()),
            ("--peer-listen", place.to_string()),
            ("--discovery", format!("static:{}", others.join(","))),
        ] {
            builder = builder.arg(flag).arg(value);
        }
        builder
    }
}
