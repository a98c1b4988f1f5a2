//! The book of peers: the shell of [`Peering`].
//!
//! Every task of a link tells it what happens by a message, and it does what the core says: dial, admit, close.

mod messages;

use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, ResponseFuture, SpawnHandle};
use mesh_core::peering::{AddressState, LinkNumber, Output, Peering};
use mesh_transport::{endpoint::Authority, quic::Listener};
use mesh_wire::{code::Code, name::Name};
use tokio::sync::{oneshot, watch};

pub(super) use self::messages::{Admitted, Drain, Ended, Failed, From, Greeted, Measured, Order, Refused};
use super::{
    Fault, Surroundings,
    dial::{self, Dial},
    frames::{PeerUp, Sender},
    view::{Counts, Facts, PeerInfo, Published, View},
};
use crate::refusals::Refusals;

/// How long links may take to close when the node stops.
const CLOSE_TIME: Duration = Duration::from_secs(3);

/// See the module.
pub(super) struct Book {
    peering: Peering,
    /// What the core was told, as it can be dialled.
    addresses: BTreeMap<Arc<str>, Authority>,
    surroundings: Rc<Surroundings>,
    listener: Option<Rc<Listener>>,
    links: BTreeMap<LinkNumber, Entry>,
    count: watch::Sender<usize>,
    timer: Option<SpawnHandle>,
    published: Published,
    counts: Counts,
    /// What the log has said last of an address that can't be dialled.
    said: BTreeMap<Arc<str>, Code>,
    refusals: Refusals,
}

/// A link, or an attempt at one.
struct Entry {
    /// The address that is dialled, until there is a link.
    dialling: Option<Arc<str>>,
    /// Tells its task to close.
    order: Option<oneshot::Sender<Order>>,
    greeted: Option<Peer>,
    is_admitted: bool,
    /// Why it was not admitted.
    refusal: Option<Fault>,
}

impl Entry {
    fn new(order: oneshot::Sender<Order>) -> Self {
        Self { dialling: None, order: Some(order), greeted: None, is_admitted: false, refusal: None }
    }
}

/// The other side of a link that was greeted.
struct Peer {
    node: Arc<Name>,
    facts: Arc<Facts>,
    sender: Sender,
}

impl Book {
    pub(super) fn new(
        peering: Peering,
        addresses: &[Authority],
        surroundings: Rc<Surroundings>,
        listener: Option<Rc<Listener>>,
        published: Published,
    ) -> Self {
        let addresses = addresses.iter().map(|place| (Arc::from(place.to_string()), place.clone())).collect();
        Self {
            peering,
            addresses,
            surroundings,
            listener,
            links: BTreeMap::new(),
            count: watch::Sender::new(0),
            timer: None,
            published,
            counts: Counts::default(),
            said: BTreeMap::new(),
            refusals: Refusals::new(Instant::now()),
        }
    }

    /// Does what the core wants done, after each input.
    fn follow(&mut self, ctx: &mut Context<Self>) {
        while let Some(output) = self.peering.poll_output() {
            match output {
                Output::Dial { link, address } => self.dial(link, address, ctx),
                Output::Admit { link } => self.admit(link),
                Output::Close { link, code, cause } => self.close(link, Fault::new(code, cause)),
            }
        }
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        self.timer = self.peering.poll_timeout().map(|due| {
            let wait = due.saturating_duration_since(Instant::now());
            ctx.run_later(wait, |book, ctx| {
                book.timer = None;
                book.peering.handle_timeout(Instant::now());
                book.follow(ctx);
            })
        });
        self.count.send_replace(self.links.len());
        self.publish();
    }

    fn dial(&mut self, link: LinkNumber, address: Arc<str>, ctx: &mut Context<Self>) {
        let Some(authority) = self.addresses.get(&address).cloned() else {
            // The core was told the addresses of this map and no others.
            self.peering.handle_failed(Instant::now(), link, Code::InternalError, None);
            return;
        };
        tracing::debug!(%address, link = link.0, "dialling a peer");
        self.counts.dials += 1;
        let (order, ordered) = oneshot::channel();
        let dialling = Some(Arc::clone(&address));
        self.links.insert(link, Entry { dialling, ..Entry::new(order) });
        let dial = Dial { link, authority, address, order: ordered };
        actix_rt::spawn(dial::run(dial, Rc::clone(&self.surroundings), ctx.address()));
    }

    fn admit(&mut self, link: LinkNumber) {
        let Some(entry) = self.links.get_mut(&link) else { return };
        entry.is_admitted = true;
        self.counts.opened += 1;
        if let Some(address) = entry.dialling.take() {
            self.said.remove(&address);
        }
        if let Some(Peer { node, facts, sender }) = &entry.greeted {
            let (node, sender, incarnation) = (Arc::clone(node), sender.clone(), facts.incarnation);
            tracing::info!(
                peer = node.as_str(),
                link = link.0,
                address = facts.address(),
                dialled = facts.dialled.is_some(),
                incarnation = facts.incarnation,
                version = facts.version,
                "peer up"
            );
            self.surroundings.handler.up(PeerUp { node, link, incarnation, sender });
        }
    }

    /// Tells the task of a link to close it; one that has just greeted is told by the answer to that.
    fn close(&mut self, link: LinkNumber, fault: Fault) {
        let Some(entry) = self.links.get_mut(&link) else { return };
        if entry.greeted.is_some() && !entry.is_admitted {
            entry.refusal = Some(fault);
        } else if let Some(order) = entry.order.take() {
            // A task that is gone has said so, or will.
            order.send(fault).unwrap_or_default();
        }
    }

    /// A link that has greeted is not wanted: forgets it, and gives the reason.
    fn refuse(&mut self, link: LinkNumber, node: &Name) -> Fault {
        let entry = self.links.remove(&link);
        let (dialling, refusal) = entry.map_or((None, None), |entry| (entry.dialling, entry.refusal));
        let fault = refusal.unwrap_or_else(|| Fault::new(Code::NodeStopped, "the node stops"));
        let Fault { code, cause, .. } = &fault;
        match dialling {
            Some(address) => {
                *self.counts.dials_failed.entry(*code).or_default() += 1;
                self.say_failed(address, Some(node), *code, cause);
            }
            None => {
                self.count_refused(*code);
                let node = node.as_str();
                match code {
                    Code::PeerDuplicate | Code::PeerIsSelf => {
                        tracing::debug!(node, %code, cause, "a peer link was refused");
                    }
                    _ if self.refusals.admit(Instant::now()) => {
                        tracing::warn!(node, %code, cause, "a peer link was refused");
                    }
                    _ => {}
                }
            }
        }
        self.count.send_replace(self.links.len());
        self.publish();
        fault
    }

    fn count_refused(&mut self, code: Code) {
        *self.counts.refused.entry(code).or_default() += 1;
        self.surroundings.counters.refused(code);
    }

    fn publish(&self) {
        let up = self.peering.peers().filter_map(|peer| {
            let Peer { facts, .. } = self.links.get(&peer.link)?.greeted.as_ref()?;
            let id = Some(peer.node.as_str().to_owned());
            let link = Some(facts.info(peer.link.0));
            Some(PeerInfo { id, address: facts.address(), state: "up", error: None, link })
        });
        let others = self.peering.addresses().filter_map(|known| {
            let state = match known.state {
                AddressState::Linked => return None,
                AddressState::Waiting => "waiting",
                AddressState::Dialling => "dialling",
                AddressState::Own => "self",
            };
            Some(PeerInfo {
                id: known.node.map(|node| node.as_str().to_owned()),
                address: Some(known.address.to_owned()),
                state,
                error: known.fault.filter(|_| state != "self").map(|code| code.to_string()),
                link: None,
            })
        });
        let peers = up.chain(others).collect();
        self.published.send_replace(Arc::new(View { peers, counts: self.counts.clone() }));
    }

    /// Says once for each reason why an address can't be dialled.
    fn say_failed(&mut self, address: Arc<str>, node: Option<&Name>, code: Code, cause: &str) {
        let node = node.map(Name::as_str);
        let is_known = self.said.insert(Arc::clone(&address), code) == Some(code);
        match code {
            Code::PeerIsSelf => tracing::info!(%address, "this address is the node's own"),
            Code::PeerDuplicate | Code::NodeStopped | Code::NodeDraining => {
                tracing::debug!(%address, node, %code, cause, "no link with a peer");
            }
            _ if is_known => tracing::debug!(%address, node, %code, cause, "no link with a peer"),
            _ => tracing::warn!(%address, node, %code, cause, "no link with a peer"),
        }
    }
}

impl Actor for Book {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let addresses: Vec<Arc<str>> = self.addresses.keys().cloned().collect();
        if let Err(error) = self.peering.handle_addresses(Instant::now(), &addresses) {
            tracing::error!(code = %error.code(), %error, "no peer is dialled");
        }
        self.follow(ctx);
    }
}

impl Handler<Greeted> for Book {
    type Result = MessageResult<Greeted>;

    fn handle(&mut self, greeted: Greeted, ctx: &mut Self::Context) -> Self::Result {
        let Greeted { from, greeting, facts, sender } = greeted;
        let node = Arc::new(greeting.node.clone());
        let peer = Some(Peer { node: Arc::clone(&node), facts, sender });
        let now = Instant::now();
        let link = match from {
            From::Dial(link) => {
                if let Some(entry) = self.links.get_mut(&link) {
                    entry.greeted = peer;
                }
                self.peering.handle_welcome(now, link, &greeting);
                link
            }
            From::Peer(order) => {
                let link = self.peering.open();
                self.links.insert(link, Entry { greeted: peer, ..Entry::new(order) });
                self.peering.handle_hello(now, link, &greeting);
                link
            }
        };
        self.follow(ctx);
        MessageResult(match self.links.get(&link) {
            Some(entry) if entry.is_admitted => Ok(Admitted { link, node }),
            _ => Err(self.refuse(link, &node)),
        })
    }
}

impl Handler<Refused> for Book {
    type Result = ();

    fn handle(&mut self, refused: Refused, _: &mut Self::Context) {
        let Refused { code, cause, remote, node } = refused;
        self.count_refused(code);
        if self.refusals.admit(Instant::now()) {
            let node = node.as_ref().map(Name::as_str);
            tracing::info!(%remote, node, %code, cause, "a peer link was refused");
        }
        self.publish();
    }
}

impl Handler<Failed> for Book {
    type Result = ();

    fn handle(&mut self, failed: Failed, ctx: &mut Self::Context) {
        let Failed { link, code, cause, node } = failed;
        let address = self.links.remove(&link).and_then(|entry| entry.dialling);
        *self.counts.dials_failed.entry(code).or_default() += 1;
        if let Some(address) = address {
            self.say_failed(address, node.as_ref(), code, &cause);
        }
        self.peering.handle_failed(Instant::now(), link, code, node);
        self.follow(ctx);
    }
}

impl Handler<Measured> for Book {
    type Result = ();

    fn handle(&mut self, Measured { link, class, rtt }: Measured, _: &mut Self::Context) {
        if let Some(peer) = self.links.get(&link).and_then(|entry| entry.greeted.as_ref()) {
            peer.facts.measured(class, rtt);
            self.publish();
        }
    }
}

impl Handler<Ended> for Book {
    type Result = ();

    fn handle(&mut self, ended: Ended, ctx: &mut Self::Context) {
        let Ended { link, code, cause, is_here } = ended;
        let peer = self.links.remove(&link).and_then(|entry| entry.greeted);
        *self.counts.closed.entry(code).or_default() += 1;
        if let Some(Peer { node, .. }) = peer {
            self.surroundings.handler.down(&node, link, ended.code.filter(|_| !is_here));
            let (peer, link, code) = (node.as_str(), link.0, code.map(tracing::field::display));
            match ended.code {
                None | Some(Code::NodeStopped | Code::NodeDraining | Code::PeerDuplicate) => {
                    tracing::info!(peer, link, code, cause, here = is_here, "peer down");
                }
                Some(_) => tracing::warn!(peer, link, code, cause, here = is_here, "peer down"),
            }
        }
        self.peering.handle_closed(Instant::now(), link, ended.code);
        self.follow(ctx);
    }
}

impl Handler<Drain> for Book {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) -> Self::Result {
        if let Some(listener) = &self.listener {
            listener.stop();
        }
        self.peering.handle_drain();
        self.follow(ctx);
        let mut count = self.count.subscribe();
        Box::pin(async move {
            let closed = tokio::time::timeout(CLOSE_TIME, count.wait_for(|count| *count == 0)).await.is_ok();
            if !closed {
                tracing::warn!(left = *count.borrow(), "some links with peers did not close in time");
            }
        })
    }
}
