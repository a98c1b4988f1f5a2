//! What nodes talk to each other through: a proxy for each direction in which one may dial another.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use mesh_netproxy::{Direction, Faults, Plan, Proxy};

/// The proxies of a cluster, by who dials whom. A link that one dialled carries both ways, so that what goes from one to
/// the other is `Up` in its own proxy and `Down` in the other's.
pub(crate) struct Network {
    proxies: BTreeMap<(usize, usize), Proxy>,
}

impl Network {
    /// Between nodes that take peers at `places`.
    pub(crate) fn new(places: &[SocketAddr], seed: u64) -> anyhow::Result<Self> {
        let mut proxies = BTreeMap::new();
        for from in 0..places.len() {
            for (to, place) in places.iter().enumerate().filter(|(to, _)| *to != from) {
                let seed = seed ^ ((from as u64) << 32 | to as u64);
                proxies.insert((from, to), Proxy::start(*place, seed, Plan::NONE)?);
            }
        }
        Ok(Self { proxies })
    }

    /// Where `from` finds the others.
    pub(crate) fn addresses(&self, from: usize) -> Vec<SocketAddr> {
        let own = self.proxies.iter().filter(|((dialler, _), _)| *dialler == from);
        own.map(|(_, proxy)| proxy.address()).collect()
    }

    /// Nothing gets from one to the other any more; the way back stays.
    pub(crate) fn cut(&self, from: usize, to: usize) {
        self.each_way(from, to, Proxy::cut);
    }

    /// Nothing gets from one to the other or back.
    pub(crate) fn part(&self, one: usize, other: usize) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Nobody of one side hears anybody of the other.
    pub(crate) fn part_sides(&self, one: &[usize], other: &[usize]) {
        for a in one {
            other.iter().for_each(|b| self.part(*a, *b));
        }
    }

    /// What happens to everything on its way.
    pub(crate) fn faults(&self, faults: Faults) {
        for proxy in self.proxies.values() {
            Direction::ALL.into_iter().for_each(|direction| proxy.faults(direction, faults));
        }
    }

    /// Everything gets through again.
    pub(crate) fn heal(&self) {
        self.faults(Faults::NONE);
        self.proxies.values().for_each(Proxy::heal);
    }

    fn each_way(&self, from: usize, to: usize, act: impl Fn(&Proxy, Direction)) {
        for (dialler, target, direction) in [(from, to, Direction::Up), (to, from, Direction::Down)] {
            if let Some(proxy) = self.proxies.get(&(dialler, target)) {
                act(proxy, direction);
            }
        }
    }
}
