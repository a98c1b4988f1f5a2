//! One link with a peer, from its admission to its end.
//!
//! ```text
//!   lane tasks ─► events ─┐
//!   Order of the book ────┼─► this task ─► GOODBYE, finish, close ─► Ended to the book
//!   the carrier's end ────┘      │
//!                                └─ every second a PING, every five a look at the certificate
//! ```

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use actix::Addr;
use actix_rt::task::JoinHandle;
use bytes::BytesMut;
use mesh_core::peering::LinkNumber;
use mesh_identity::peer::PeerCertificate;
use mesh_transport::link::{Closed, Handle, Inbound, Outbound};
use mesh_wire::{
    class::Class,
    code::Code,
    frame::{Kind, Parts as Frame},
    hello::Features,
    name::Name,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant as Time, MissedTickBehavior, interval_at, timeout, timeout_at},
};

use super::{
    Fault, Surroundings,
    book::{Admitted, Book, Ended, Measured, Order},
    frames::{PeerFrames, Queues, Sender},
    lane::{Item, Lane},
    probe::{self, Probe},
    writer,
};

/// How often the certificate of a peer is looked at again.
const RECHECK: Duration = Duration::from_secs(5);
/// How long a link that ends in good order may take for each of its two directions.
const FAREWELL_TIME: Duration = Duration::from_secs(2);
/// Events that wait to be handled; a lane is not read any further meanwhile.
const EVENTS: usize = 16;

/// What a greeted link is made of.
pub(super) struct Parts {
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    pub(super) handle: Handle,
    /// The lane that the greeting came on.
    pub(super) control: Lane,
    pub(super) queues: Queues,
    pub(super) sender: Sender,
    pub(super) certificate: Arc<PeerCertificate>,
}

/// What a lane tells its link.
#[derive(Debug)]
enum Event {
    Pong(Class, u64),
    Goodbye(Option<Code>),
    LaneOver,
    Broken(Fault),
}

/// How a link comes to its end.
enum End {
    /// This side wants it, for a reason that the peer is told.
    Here(Fault),
    /// The peer has said goodbye.
    Goodbye(Option<Code>),
    /// There is nothing left to talk over.
    Gone(Closed),
}

/// Runs a link that was admitted.
pub(super) async fn run(
    parts: Parts,
    admitted: Admitted,
    order: oneshot::Receiver<Order>,
    features: Features,
    surroundings: Rc<Surroundings>,
    book: Addr<Book>,
) {
    let Parts { inbound, outbound, handle, control, queues, sender, certificate } = parts;
    let Admitted { link, node } = admitted;
    let (finish, finishing) = oneshot::channel();
    let writer = actix_rt::spawn(writer::run(outbound, queues, finishing));
    let (tell, events) = mpsc::channel(EVENTS);
    let mut running =
        Running { link, node, inbound, handle, sender, surroundings, tell, lanes: Vec::new(), over: 0 };
    running.lane(Class::Control, control);
    let mut events = events;
    let end = running.until_end(&mut events, order, features, &certificate, &book).await;
    let (code, cause, is_here) = running.close(end, &mut events, finish, writer).await;
    running.lanes.iter().for_each(JoinHandle::abort);
    book.do_send(Ended { link, code, cause, is_here });
}

struct Running {
    link: LinkNumber,
    node: Arc<Name>,
    inbound: Inbound,
    handle: Handle,
    sender: Sender,
    surroundings: Rc<Surroundings>,
    tell: mpsc::Sender<Event>,
    lanes: Vec<JoinHandle<()>>,
    /// How many of them were read to their end.
    over: usize,
}

impl Running {
    /// Starts to read a lane.
    fn lane(&mut self, class: Class, lane: Lane) {
        let (link, node) = (self.link, Arc::clone(&self.node));
        let reading = Reading { link, node, class, sender: self.sender.clone(), tell: self.tell.clone() };
        self.lanes.push(actix_rt::spawn(reading.run(lane, Rc::clone(&self.surroundings))));
    }

    async fn until_end(
        &mut self,
        events: &mut mpsc::Receiver<Event>,
        mut order: oneshot::Receiver<Order>,
        features: Features,
        certificate: &PeerCertificate,
        book: &Addr<Book>,
    ) -> End {
        let classes =
            if features.contains(Features::LANE_PINGS) { &Class::ALL[..] } else { &[Class::Control] };
        let mut probe = Probe::default();
        for _ in classes {
            self.ask(&mut probe, classes);
        }
        let mut turn = interval_at(Time::now() + probe::PACE, probe::PACE);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut recheck = interval_at(Time::now() + RECHECK, RECHECK);
        loop {
            tokio::select! {
                biased;
                order = &mut order => {
                    let stopped = |_| Fault::new(Code::NodeStopped, "the node stops");
                    return End::Here(order.unwrap_or_else(stopped));
                }
                event = events.recv() => match event {
                    Some(Event::Pong(class, id)) => {
                        if let Some(rtt) = probe.handle_pong(Instant::now(), class, id) {
                            book.do_send(Measured { link: self.link, class, rtt });
                        }
                    }
                    Some(Event::Goodbye(code)) => return End::Goodbye(code),
                    // The other side may finish single lanes; it says so when it means the link.
                    Some(Event::LaneOver) => self.over += 1,
                    Some(Event::Broken(fault)) if fault.is_theirs => return self.gone(fault).await,
                    Some(Event::Broken(fault)) => return End::Here(fault),
                    None => return End::Here(Fault::new(Code::InternalError, "the lanes of a link are gone")),
                },
                lane = self.inbound.accept() => match lane {
                    Ok(lane) => self.lane(lane.class, Lane::new(lane.reader, BytesMut::new())),
                    Err(error) => return self.gone(Fault::of(&error)).await,
                },
                closed = self.handle.closed() => return End::Gone(closed),
                _ = turn.tick() => self.ask(&mut probe, classes),
                _ = recheck.tick() => {
                    let checked = self.surroundings.store.recheck(certificate, SystemTime::now());
                    if let Err(error) = checked {
                        return End::Here(Fault::new(error.code(), error.to_string()));
                    }
                }
            }
        }
    }

    /// Asks the lane whose turn it is.
    fn ask(&self, probe: &mut Probe, classes: &[Class]) {
        if let Some((class, id)) = probe.handle_turn(Instant::now(), classes) {
            // A lane that is full is busy with better things.
            self.sender.try_send(class, frame(Kind::Ping, id, None)).unwrap_or_default();
        }
    }

    /// The end that shows by an error of one part: the whole knows better why, if it is over.
    async fn gone(&self, fault: Fault) -> End {
        let closed = timeout(Duration::ZERO, self.handle.closed()).await;
        End::Gone(closed.unwrap_or(Closed::new(fault.code, fault.cause)))
    }

    /// Ends the link; gives the reason, and whether it is this side's.
    async fn close(
        &mut self,
        end: End,
        events: &mut mpsc::Receiver<Event>,
        finish: oneshot::Sender<()>,
        writer: JoinHandle<std::io::Result<()>>,
    ) -> (Option<Code>, String, bool) {
        match end {
            End::Gone(Closed { code, cause }) => (code, cause, false),
            End::Here(Fault { code, cause, .. }) => {
                let farewell = async {
                    self.sender.send(Class::Control, frame(Kind::Goodbye, 0, Some(code))).await;
                    finish.send(()).unwrap_or_default();
                    writer.await.is_ok_and(|written| written.is_ok())
                };
                // What was written is there; that it was read as well shows by the end of the other side's lanes.
                if timeout(FAREWELL_TIME, farewell).await.unwrap_or(false) {
                    self.read_out(events).await;
                }
                self.handle.close(code, &cause);
                (Some(code), cause, true)
            }
            End::Goodbye(code) => {
                self.read_out(events).await;
                finish.send(()).unwrap_or_default();
                timeout(FAREWELL_TIME, writer).await.map(drop).unwrap_or_default();
                self.handle.leave();
                let cause = code.map_or("it said goodbye", Code::title).to_owned();
                (code, cause, false)
            }
        }
    }

    /// Reads what the other side has written, to the end of its lanes or of the link. Bounded in time.
    async fn read_out(&mut self, events: &mut mpsc::Receiver<Event>) {
        let deadline = Time::now() + FAREWELL_TIME;
        while self.over < self.lanes.len() {
            let event = tokio::select! {
                biased;
                lane = self.inbound.accept() => match lane {
                    Ok(lane) => {
                        self.lane(lane.class, Lane::new(lane.reader, BytesMut::new()));
                        continue;
                    }
                    Err(_) => return,
                },
                event = timeout_at(deadline, events.recv()) => event,
            };
            match event {
                Ok(Some(Event::LaneOver)) => self.over += 1,
                Ok(Some(Event::Pong(..) | Event::Goodbye(_))) => {}
                Ok(Some(Event::Broken(_)) | None) | Err(_) => return,
            }
        }
    }
}

/// The reading of one lane.
struct Reading {
    link: LinkNumber,
    node: Arc<Name>,
    class: Class,
    sender: Sender,
    tell: mpsc::Sender<Event>,
}

impl Reading {
    async fn run(self, mut lane: Lane, surroundings: Rc<Surroundings>) {
        let last = loop {
            match lane.next().await {
                Ok(Some(item)) => match self.item(item, &surroundings).await {
                    Ok(None) => {}
                    Ok(Some(event)) => {
                        if self.tell.send(event).await.is_err() {
                            return;
                        }
                    }
                    Err(fault) => break Event::Broken(fault),
                },
                Ok(None) => break Event::LaneOver,
                Err(fault) => break Event::Broken(fault),
            }
        };
        // Nobody to tell means that the link is over.
        self.tell.send(last).await.unwrap_or_default();
    }

    async fn item(&self, item: Item, surroundings: &Surroundings) -> Result<Option<Event>, Fault> {
        match item {
            Item::Frames(frames) => {
                let (node, link, class) = (Arc::clone(&self.node), self.link, self.class);
                surroundings.handler.handle(PeerFrames { node, link, class, frames }).await?;
            }
            Item::Ping(id) => {
                self.sender.send(self.class, frame(Kind::Pong, id, None)).await;
            }
            Item::Pong(id) => return Ok(Some(Event::Pong(self.class, id))),
            Item::Goodbye(code) => return Ok(Some(Event::Goodbye(code))),
            // Its GOODBYE follows when it has finished.
            Item::Draining => {}
        }
        Ok(None)
    }
}

fn frame(kind: Kind, id: u64, code: Option<Code>) -> bytes::Bytes {
    let mut bytes = BytesMut::new();
    let frame = Frame::bare(kind, id).aux(code.map_or(0, |code| code.number().into()));
    // A frame without parts is within every limit.
    frame.encode(&mut bytes).unwrap_or_default();
    bytes.freeze()
}
