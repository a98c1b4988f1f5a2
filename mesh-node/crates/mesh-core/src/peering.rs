//! Which nodes a node has links with, and who dials whom when.
//!
//! Every node dials every address that it was told, and takes links from any node of its cluster. So two nodes may dial
//! each other at the same time, an address may be the node's own, two addresses may be one node, and a node that was
//! killed may be back before its death was noticed. However it comes: at rest, two nodes have exactly one link.
//!
//! ```text
//!   addresses ──► waiting ──► dialling ──► greeted ──┐                 ┌─► admitted, and closes the one before
//!                    ▲           │                   ├─ judge, contest ┤
//!                    │           │   HELLO came in ──┘                 └─► closed with a code
//!                    └── failed ─┴───────────────────── lost ◄────────────── admitted
//! ```
//! Which of two links with one node stays is the [contest]: both sides hold it on the same facts, so that they decide
//! alike without asking each other.
//!
//! Inputs: `handle_*`; outputs: [`Peering::poll_output`], to be drained after every input; time:
//! [`Peering::poll_timeout`]. Commands: [`Peering::open`]. The same seed and inputs give the same outputs.

mod backoff;
mod contest;
mod greeting;
mod options;
mod output;
mod target;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use mesh_wire::code::Code;
use mesh_wire::name::Name;

pub use self::backoff::Backoff;
use self::contest::{Claim, Verdict};
pub use self::greeting::{Greeting, Refusal};
pub use self::options::Options;
pub use self::output::Output;
use self::target::{Step, Target};
pub use self::view::{AddressState, Known, Peer, TooManyAddresses};

/// A link of this node with a peer, or an attempt at one. Rises from link to link and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkNumber(pub u64);

/// Who this node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its name.
    pub node: Name,
    /// Its cluster.
    pub cluster: Name,
    /// Its start time in microseconds since the epoch.
    pub incarnation: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Peering {
    options: Options,
    own: Own,
    backoff: Backoff,
    targets: Vec<Target>,
    links: BTreeMap<Name, Admitted>,
    last_link: u64,
    draining: bool,
    outputs: VecDeque<Output>,
}

/// The link with a node.
#[derive(Debug, Clone)]
struct Admitted {
    link: LinkNumber,
    claim: Claim,
    since: Instant,
}

impl Peering {
    /// A node without addresses and peers. Waits are drawn from `seed`.
    #[must_use]
    pub fn new(options: Options, own: Own, seed: u64) -> Self {
        let backoff = Backoff::new(options.backoff_min, options.backoff_max, seed);
        Self {
            options,
            own,
            backoff,
            targets: Vec::new(),
            links: BTreeMap::new(),
            last_link: 0,
            draining: false,
            outputs: VecDeque::new(),
        }
    }

    /// A number for a link that a peer dialled, to be given with its greeting.
    pub fn open(&mut self) -> LinkNumber {
        self.last_link += 1;
        LinkNumber(self.last_link)
    }

    /// The addresses of peers are these from now on. New ones are dialled at once; links with nodes at addresses that
    /// are gone stay.
    ///
    /// # Errors
    /// Too many; then nothing has changed.
    pub fn handle_addresses<A: AsRef<str>>(
        &mut self,
        now: Instant,
        addresses: &[A],
    ) -> Result<(), TooManyAddresses> {
        let mut distinct: Vec<&str> = addresses.iter().map(AsRef::as_ref).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let most = self.options.addresses_max;
        if distinct.len() > most {
            return Err(TooManyAddresses { given: distinct.len(), most });
        }
        for target in &mut self.targets {
            target.is_wanted = distinct.contains(&target.address.as_ref());
        }
        for address in addresses.iter().map(AsRef::as_ref) {
            if !self.targets.iter().any(|target| target.address.as_ref() == address) {
                self.targets.push(Target::new(now, address));
            }
        }
        self.sweep();
        self.dial_due(now);
        Ok(())
    }

    /// A dial did not become a link: it was not answered, or refused with `code`. `node` is the one that answered, by
    /// its certificate, as far as it came to that.
    pub fn handle_failed(&mut self, now: Instant, link: LinkNumber, code: Code, node: Option<Name>) {
        let Some(target) = self.targets.iter_mut().find(|target| target.is_dialling(link)) else { return };
        if let Some(node) = node {
            target.node = Some(node);
        }
        target.failed(now, code, &mut self.backoff);
        self.sweep();
        self.dial_due(now);
    }

    /// A node that was dialled has answered the greeting.
    pub fn handle_welcome(&mut self, now: Instant, link: LinkNumber, greeting: &Greeting) {
        // A dial that is not known was closed when this node began to leave.
        let Some(at) = self.targets.iter().position(|target| target.is_dialling(link)) else { return };
        let answer = self.decide(link, greeting, true);
        let target = &mut self.targets[at];
        target.node = Some(greeting.certified.clone());
        match answer {
            Ok(claim) => {
                target.linked(now);
                self.admit(now, link, greeting.node.clone(), claim);
            }
            Err(Refusal { code, cause }) => {
                target.failed(now, code, &mut self.backoff);
                self.close(link, code, cause);
            }
        }
        self.sweep();
        self.dial_due(now);
    }

    /// A node has dialled this one and greets. `link` is from [`Peering::open`].
    pub fn handle_hello(&mut self, now: Instant, link: LinkNumber, greeting: &Greeting) {
        match self.decide(link, greeting, false) {
            Ok(claim) => self.admit(now, link, greeting.node.clone(), claim),
            Err(refusal) => self.close(link, refusal.code, refusal.cause),
        }
        self.dial_due(now);
    }

    /// A link that was admitted is over. `code` is what the other side gave as its reason, or the carrier; `None` for
    /// good order.
    pub fn handle_closed(&mut self, now: Instant, link: LinkNumber, code: Option<Code>) {
        let Some(node) = self.links.iter().find(|(_, held)| held.link == link).map(|(node, _)| node.clone())
        else {
            return;
        };
        let Some(held) = self.links.remove(&node) else { return };
        let lasted = now.saturating_duration_since(held.since);
        let is_on_purpose = matches!(code, None | Some(Code::NodeDraining | Code::NodeStopped));
        for target in self.targets.iter_mut().filter(|target| target.node.as_ref() == Some(&node)) {
            if lasted >= self.options.stable {
                target.attempts = 0;
            }
            target.lost(now, code, is_on_purpose, &mut self.backoff);
        }
        self.dial_due(now);
    }

    /// This node leaves: its links are closed, and none are made any more.
    pub fn handle_drain(&mut self) {
        self.draining = true;
        let dialling = self.targets.iter().filter_map(|target| target.dialling());
        let links: Vec<LinkNumber> = self.links.values().map(|held| held.link).chain(dialling).collect();
        self.links.clear();
        self.targets.clear();
        for link in links {
            self.close(link, Code::NodeStopped, "the node stops".to_owned());
        }
    }

    /// Dials what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.dial_due(now);
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Peering::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.draining || self.links.len() >= self.options.peers_max {
            return None;
        }
        self.targets.iter().filter(|target| !self.is_held_back(target)).filter_map(Target::due).min()
    }

    /// The links that were admitted, by the names of their nodes.
    pub fn peers(&self) -> impl Iterator<Item = Peer<'_>> {
        self.links.iter().map(|(node, held)| Peer {
            node,
            link: held.link,
            incarnation: held.claim.incarnation,
            is_dialled: held.claim.is_dialled,
        })
    }

    /// The addresses, in the order in which they were told.
    pub fn addresses(&self) -> impl Iterator<Item = Known<'_>> {
        self.targets.iter().map(|target| Known {
            address: &target.address,
            node: target.node.as_ref(),
            state: match target.step {
                Step::Own => AddressState::Own,
                Step::Dialling(_) => AddressState::Dialling,
                Step::Waiting { .. } if self.is_linked(target) => AddressState::Linked,
                Step::Waiting { .. } => AddressState::Waiting,
            },
            fault: target.fault,
        })
    }

    /// Whether `link` may be the one with its node, and what it claims.
    fn decide(&self, link: LinkNumber, greeting: &Greeting, is_dialled: bool) -> Result<Claim, Refusal> {
        if self.draining {
            return Err(Refusal::new(Code::NodeDraining, "the node is leaving"));
        }
        greeting.judge(&self.own)?;
        if is_dialled && greeting.dial != link.0 {
            let cause = format!("the answer is to dial {}, this is {}", greeting.dial, link.0);
            return Err(Refusal::new(Code::FieldOutOfRange, cause));
        }
        let claim = Claim {
            incarnation: greeting.incarnation,
            is_by_smaller: is_dialled == (self.own.node < greeting.node),
            dial: greeting.dial,
            is_dialled,
        };
        match self.links.get(&greeting.node) {
            Some(held) => match contest::hold(&claim, &held.claim) {
                Verdict::Replaces => Ok(claim),
                Verdict::Loses(code) => Err(Refusal::new(code, held.describe(&greeting.node))),
            },
            None if self.links.len() >= self.options.peers_max => {
                let cause = format!("the node has {} peers, as many as it may", self.links.len());
                Err(Refusal::new(Code::TooManyPeers, cause))
            }
            None => Ok(claim),
        }
    }

    fn admit(&mut self, now: Instant, link: LinkNumber, node: Name, claim: Claim) {
        if let Some(before) = self.links.insert(node, Admitted { link, claim, since: now }) {
            self.close(before.link, Code::PeerDuplicate, format!("link {} has taken its place", link.0));
        }
        self.outputs.push_back(Output::Admit { link });
    }

    fn close(&mut self, link: LinkNumber, code: Code, cause: String) {
        self.outputs.push_back(Output::Close { link, code, cause });
    }

    fn dial_due(&mut self, now: Instant) {
        if self.draining {
            return;
        }
        for at in 0..self.targets.len() {
            let target = &self.targets[at];
            let is_due = target.due().is_some_and(|due| due <= now);
            if !is_due || self.links.len() >= self.options.peers_max || self.is_held_back(target) {
                continue;
            }
            let link = self.open();
            let target = &mut self.targets[at];
            target.step = Step::Dialling(link);
            self.outputs.push_back(Output::Dial { link, address: Arc::clone(&target.address) });
        }
    }

    /// Whether the node at this address is there already, or is being dialled at another one.
    fn is_held_back(&self, target: &Target) -> bool {
        let another = |other: &Target| other.dialling().is_some() && other.node == target.node;
        self.is_linked(target) || (target.node.is_some() && self.targets.iter().any(another))
    }

    fn is_linked(&self, target: &Target) -> bool {
        target.node.as_ref().is_some_and(|node| self.links.contains_key(node))
    }

    /// Forgets addresses that are not wanted any more, but for those being dialled: the dial has yet to end.
    fn sweep(&mut self) {
        self.targets.retain(|target| target.is_wanted || target.dialling().is_some());
    }
}

impl Admitted {
    fn describe(&self, node: &Name) -> String {
        let by = if self.claim.is_dialled { "this node" } else { "it" };
        format!("{node} has link {} of incarnation {}, dialled by {by}", self.link.0, self.claim.incarnation)
    }
}

#[cfg(test)]
mod tests;
