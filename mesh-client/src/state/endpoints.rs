//! Which endpoint is next.

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
    use super::*;

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
