//! The clients that a proxy knows.

use std::collections::HashMap;
use std::net::SocketAddr;

/// What is kept for each client: bounded, the one that was silent the longest makes room.
#[derive(Debug)]
pub(crate) struct Clients<T> {
    known: HashMap<SocketAddr, Client<T>>,
    max: usize,
    /// Counts uses, so that the longest silence can be told.
    uses: u64,
}

#[derive(Debug)]
struct Client<T> {
    kept: T,
    used: u64,
}

impl<T> Clients<T> {
    /// Nobody; at most `max`.
    pub(crate) fn new(max: usize) -> Self {
        Self { known: HashMap::new(), max, uses: 0 }
    }

    /// What is kept for a client that sent something.
    pub(crate) fn heard(&mut self, address: SocketAddr) -> Option<&T> {
        self.uses += 1;
        let client = self.known.get_mut(&address)?;
        client.used = self.uses;
        Some(&client.kept)
    }

    /// What is kept for a client.
    pub(crate) fn get(&self, address: SocketAddr) -> Option<&T> {
        self.known.get(&address).map(|client| &client.kept)
    }

    /// Adds a client that sent something. What was kept for the one that made room is given back.
    pub(crate) fn add(&mut self, address: SocketAddr, kept: T) -> Option<T> {
        let gone = if self.known.len() >= self.max { self.forget_one() } else { None };
        self.uses += 1;
        self.known.insert(address, Client { kept, used: self.uses });
        gone
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    fn forget_one(&mut self) -> Option<T> {
        let longest = *self.known.iter().min_by_key(|(_, client)| client.used)?.0;
        self.known.remove(&longest).map(|client| client.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn the_longest_silent_makes_room() {
        let mut clients = Clients::new(2);
        assert_eq!(clients.add(at(1), 'a'), None);
        assert_eq!(clients.add(at(2), 'b'), None);
        assert_eq!(clients.heard(at(1)), Some(&'a'));
        assert_eq!(clients.add(at(3), 'c'), Some('b'));
        assert_eq!((clients.get(at(2)), clients.len()), (None, 2));
        assert_eq!(clients.heard(at(2)), None);
        assert_eq!(clients.add(at(4), 'd'), Some('a'));
    }
}
