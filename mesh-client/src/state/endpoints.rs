//! Which endpoint is next.

use std::hash::BuildHasher;

use mesh_transport::endpoint::Endpoint;

/// The endpoints of a client, taken in turn. Never empty.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    first: Endpoint,
    others: Vec<Endpoint>,
    at: usize,
}

impl Endpoints {
    pub(crate) fn new(first: Endpoint, others: Vec<Endpoint>) -> Self {
        Self { first, others, at: 0 }
    }

    /// The same in the order that the hashes of their places have.
    pub(crate) fn shuffled(self, random: &impl BuildHasher) -> Self {
        let mut all: Vec<(u64, Endpoint)> = (0u64..)
            .zip(std::iter::once(self.first.clone()).chain(self.others))
            .map(|(place, endpoint)| (random.hash_one(place), endpoint))
            .collect();
        all.sort_by_key(|(hash, _)| *hash);
        let mut all = all.into_iter().map(|(_, endpoint)| endpoint);
        Self { first: all.next().unwrap_or(self.first), others: all.collect(), at: 0 }
    }

    /// Whether all of them are sockets on this machine.
    pub(crate) fn are_local(&self) -> bool {
        std::iter::once(&self.first).chain(&self.others).all(|endpoint| endpoint.socket_path().is_some())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        1 + self.others.len()
    }

    /// The one whose turn it is.
    pub(crate) fn current(&self) -> &Endpoint {
        self.at.checked_sub(1).and_then(|at| self.others.get(at)).unwrap_or(&self.first)
    }

    /// Command: it did not answer, or was lost; the next one has its turn.
    pub(crate) fn advance(&mut self) {
        self.at = (self.at + 1) % self.len();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::RandomState;

    use super::*;

    #[test]
    fn a_shuffle_keeps_all_and_their_order_only_by_chance() {
        let endpoint = |n: usize| Endpoint::unix(n.to_string()).unwrap();
        let shuffled = || {
            let mut all =
                Endpoints::new(endpoint(0), (1..8).map(endpoint).collect()).shuffled(&RandomState::new());
            let mut seen = Vec::new();
            for _ in 0..all.len() {
                seen.push(all.current().to_string());
                all.advance();
            }
            seen
        };
        let orders: HashSet<Vec<String>> = (0..10).map(|_| shuffled()).collect();
        assert!(orders.len() > 1, "8! orders, and ten times the same");
        assert!(orders.iter().all(|order| order.iter().collect::<HashSet<_>>().len() == 8));
    }

    #[test]
    fn an_endpoint_on_a_network_is_not_local() {
        let socket = Endpoint::unix("a").unwrap();
        assert!(Endpoints::new(socket.clone(), vec![socket.clone()]).are_local());
        let network: Endpoint = "quic://node-1.example:7400".parse().unwrap();
        assert!(!Endpoints::new(socket.clone(), vec![network.clone()]).are_local());
        assert!(!Endpoints::new(network, vec![socket]).are_local());
    }

    #[test]
    fn endpoints_take_turns() {
        let endpoint = |name: &str| Endpoint::unix(name).unwrap();
        let mut endpoints = Endpoints::new(endpoint("a"), vec![endpoint("b"), endpoint("c")]);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(endpoints.current().to_string());
            endpoints.advance();
        }
        assert_eq!(seen, ["unix://a", "unix://b", "unix://c", "unix://a"]);

        let mut alone = Endpoints::new(endpoint("a"), Vec::new());
        alone.advance();
        assert_eq!(alone.current(), &endpoint("a"));
    }
}
