//! What clients ask, and other nodes for theirs.

use bytes::{Bytes, BytesMut};
use mesh_core::{
    large::Large,
    meta,
    register::{self, Command},
    routing::LinkId,
};
use mesh_log::id::{GroupId, LaneId};
use mesh_replica::{
    clock::Now,
    codec::{Forward, Forwarded},
    id::NodeNumber,
};
use mesh_wire::{
    body,
    code::Code,
    durable::{self, DeclareV1},
    ext::Ext,
    frame::{Frame, Kind, Parts},
    limits,
    name::Name,
};

use super::{
    super::{
        Outlet,
        answer::Refusal,
        direct::Source,
        ingress::Item,
        leads::Lead,
        routes,
        waiting::{Asker, Fetch, Request, What},
    },
    Plane,
};
use crate::metrics::Counter;

impl Plane {
    /// Input: what one read of a link brought. `outlet` is how the link is reached.
    pub(crate) fn handle_link(&mut self, link: LinkId, outlet: impl FnOnce() -> Outlet, items: Vec<Item>) {
        let now = self.clock.now();
        self.outlets.know(link, outlet);
        self.source = Some(Source::Link(link));
        for item in items {
            match item {
                Item::Frames(frames) => self.frames(now, link, frames),
                Item::Large(large) => self.large(now, link, &large),
            }
        }
        self.settle(now);
    }

    /// Input: a link is over.
    pub(crate) fn handle_gone(&mut self, link: LinkId) {
        self.outlets.forget(link);
    }

    fn frames(&mut self, now: Now, link: LinkId, mut frames: BytesMut) {
        // They were checked to be whole when they were read.
        while let Ok(Some(frame)) = Frame::decode(&frames) {
            let (len, body_at) = (frame.len(), frame.body_offset());
            if frame.kind() != Kind::Put {
                let whole = frames.split_to(len).freeze();
                if let Ok(Some(frame)) = Frame::decode(&whole) {
                    self.ask(now, link, &frame.parts(), whole.slice(body_at..));
                }
                continue;
            }
            let (id, timeout_ms, lane) = (frame.id(), frame.aux(), lane_of(frame.ext()));
            // The batch stays where it was read: what a command has before it takes the place of the end of the frame's
            // head, which is longer and not needed any more.
            let mut command = frames.split_to(len).split_off(body_at - register::APPEND_OVERHEAD);
            let head = register::append_head(meta::LaneId(lane.unwrap_or(0)));
            command[..register::APPEND_OVERHEAD].copy_from_slice(&head);
            let asked = self.put(now, Asker::Link(link), (id, timeout_ms), lane, command.freeze());
            self.asked(Asker::Link(link), Kind::Put, id, asked);
        }
    }

    fn large(&mut self, now: Now, link: LinkId, large: &Large) {
        let Large { kind, flags, aux, id, ext, subject, headers, body } = large;
        let parts =
            Parts { kind: *kind, flags: *flags, aux: *aux, id: *id, ext, subject, headers, body: &[] };
        self.ask(now, link, &parts, body.clone());
    }

    /// One request of a client.
    fn ask(&mut self, now: Now, link: LinkId, parts: &Parts<'_>, body: Bytes) {
        let asker = Asker::Link(link);
        let asked = match parts.kind {
            Kind::Put => {
                let lane = lane_of(parts.ext);
                let command = Command::Append { lane: meta::LaneId(lane.unwrap_or(0)), batch: body }.encode();
                self.put(now, asker, (parts.id, parts.aux), lane, command)
            }
            Kind::Fetch => self.fetch(now, asker, parts, &body),
            _ => self.declare(now, asker, parts, &body),
        };
        self.asked(asker, parts.kind, parts.id, asked);
    }

    /// Counts a request, and answers one that was refused at once.
    fn asked(&mut self, asker: Asker, kind: Kind, id: u64, asked: Result<(), Refusal>) {
        self.counters.add(
            match kind {
                Kind::Put => Counter::Puts,
                Kind::Fetch => Counter::Fetches,
                _ => Counter::Declares,
            },
            1,
        );
        if let Err(refusal) = asked {
            let what = match kind {
                Kind::Put => What::Put(LaneId(0)),
                Kind::Fetch => What::Fetch(Fetch { lane: LaneId(0), from: 0, max_bytes: 0 }),
                _ => What::Meta,
            };
            self.answer(Request { asker, id, what }, Err(refusal));
        }
    }

    /// A command that appends a batch: `lane` is the one that the frame names.
    fn put(
        &mut self,
        now: Now,
        asker: Asker,
        (id, timeout_ms): (u64, u32),
        lane: Option<u64>,
        command: Bytes,
    ) -> Result<(), Refusal> {
        let lane =
            lane.ok_or_else(|| Refusal::new(Code::ExtMalformed, "a PUT names the lane that it is for"))?;
        let group = self.group_of(LaneId(lane))?;
        register::check(&command[register::APPEND_OVERHEAD..])
            .map_err(|error| Refusal::new(error.code(), error.to_string()))?;
        let request = Request { asker, id, what: What::Put(LaneId(lane)) };
        self.propose(now, group, request, command, timeout_ms)
    }

    fn declare(&mut self, now: Now, asker: Asker, parts: &Parts<'_>, body: &[u8]) -> Result<(), Refusal> {
        let invalid = |why: String| Refusal::new(Code::BodyMalformed, why);
        let declare: DeclareV1 = body::decode(body).map_err(|error| invalid(error.to_string()))?;
        if !self.shared.config.storage.registers {
            return Err(Refusal::new(
                Code::DurableDisabled,
                "registers are switched off (`storage.registers`)",
            ));
        }
        if declare.sort != durable::REGISTER {
            return Err(invalid(format!("nothing of sort {} can be declared", declare.sort)));
        }
        let name = Name::new(declare.name).map_err(|error| Refusal::new(error.code(), error.to_string()))?;
        let request = Request { asker, id: parts.id, what: What::Meta };
        if let Some(there) = self.declared(&name) {
            self.answer(request, Ok(there.encode()));
            return Ok(());
        }
        if !declare.create {
            // A node that is behind does not know; the leader does.
            return Err(match self.lead(GroupId::META) {
                Lead::Here | Lead::There(_) => Refusal::of(Code::LaneUndeclared),
                Lead::Nobody => Refusal::of(Code::NoLeader),
            });
        }
        let options = meta::Fields::new();
        let command = meta::Command::Declare { kind: meta::Kind::REGISTER, name, options }.encode();
        self.propose(now, GroupId::META, request, command, parts.aux)
    }

    fn fetch(&mut self, now: Now, asker: Asker, parts: &Parts<'_>, body: &[u8]) -> Result<(), Refusal> {
        let fetch = durable::Fetch::decode(body);
        let fetch = fetch.map_err(|error| Refusal::new(Code::BodyMalformed, error.to_string()))?;
        if fetch.from == 0 || fetch.max_bytes == 0 || fetch.max_bytes > limits::FETCH_BYTES_MAX {
            return Err(Refusal::new(Code::BodyMalformed, "the numbers of a FETCH are out of range"));
        }
        let lane = LaneId(fetch.lane);
        let group = self.group_of(lane)?;
        let what = Fetch { lane, from: fetch.from, max_bytes: fetch.max_bytes };
        let request = Request { asker, id: parts.id, what: What::Readable(what) };
        let is_here = self.host.as_ref().is_some_and(|host| host.machine(group).is_some());
        if is_here && !self.leads.is_elsewhere(group) && !fetch.linearizable {
            self.read_records(now, group, request, what);
            return Ok(());
        }
        self.read(now, group, request, parts.aux, || Bytes::copy_from_slice(body))
    }

    /// Has a command committed, here or where its group is led.
    pub(in crate::durable) fn propose(
        &mut self,
        now: Now,
        group: GroupId,
        request: Request,
        command: Bytes,
        timeout_ms: u32,
    ) -> Result<(), Refusal> {
        match self.lead(group) {
            Lead::Here => {
                let token = self.requests.begin(request).ok_or_else(|| Refusal::of(Code::CommitQueueFull))?;
                if let Some(host) = &mut self.host {
                    host.propose(now, group, token, command);
                }
                Ok(())
            }
            Lead::There(node) => self.forward(now, node, group, request, command, timeout_ms),
            Lead::Nobody => Err(Refusal::of(Code::NoLeader)),
        }
    }

    /// Reads records as of now, here or where the group is led.
    fn read(
        &mut self,
        now: Now,
        group: GroupId,
        request: Request,
        timeout_ms: u32,
        body: impl FnOnce() -> Bytes,
    ) -> Result<(), Refusal> {
        match self.lead(group) {
            Lead::Here => {
                let token = self.requests.begin(request).ok_or_else(|| Refusal::of(Code::CommitQueueFull))?;
                if let Some(host) = &mut self.host {
                    host.read(now, group, token);
                }
                Ok(())
            }
            Lead::There(node) => self.forward(now, node, group, request, body(), timeout_ms),
            Lead::Nobody => Err(Refusal::of(Code::NoLeader)),
        }
    }

    /// Input: what another node asks for a client of its. It is never sent on a second time.
    pub(super) fn handle_forwarded_request(&mut self, now: Now, from: NodeNumber, forward: Forward) {
        let asker = Asker::Node(from);
        let Forward { id, group, kind, body, .. } = forward;
        let (what, fetch) = match Kind::from_byte(kind) {
            Some(Kind::Put) => (What::Put(LaneId(0)), None),
            Some(Kind::Declare) => (What::Meta, None),
            Some(Kind::Fetch) => match durable::Fetch::decode(&body) {
                Ok(fetch) => {
                    let what =
                        Fetch { lane: LaneId(fetch.lane), from: fetch.from, max_bytes: fetch.max_bytes };
                    (What::Readable(what), Some(what))
                }
                Err(_) => (What::Meta, None),
            },
            _ => (What::Meta, None),
        };
        let request = Request { asker, id, what };
        let lead = self.lead(group);
        if lead != Lead::Here {
            // It may know by now where to ask instead.
            let leader = if let Lead::There(leader) = lead { Some(leader) } else { None };
            let (code, body) =
                (Code::NoLeader.number().into(), Bytes::from_static(Code::NoLeader.cause().as_bytes()));
            return self.nodes.answer(from, &Forwarded { id, leader, code, kind, body });
        }
        let Some(token) = self.requests.begin(request) else {
            return self.answer(request, Err(Refusal::of(Code::CommitQueueFull)));
        };
        let Some(host) = &mut self.host else { return };
        match fetch {
            Some(_) => host.read(now, group, token),
            None => host.propose(now, group, token, body),
        }
    }

    /// Who leads a group.
    pub(in crate::durable) fn lead(&self, group: GroupId) -> Lead {
        // A replica in quarantine, or one that is to begin here, knows no more than none.
        let elsewhere = self.leads.is_elsewhere(group);
        self.leads.of(
            group,
            |node| self.nodes.is_up(node),
            || routes::members(group, self.host.as_ref(), elsewhere),
        )
    }

    /// The group that keeps a lane.
    fn group_of(&mut self, lane: LaneId) -> Result<GroupId, Refusal> {
        self.routes.group_of(lane, self.host.as_ref()).ok_or_else(|| match self.lead(GroupId::META) {
            // Nothing is known before the meta group is.
            Lead::Nobody => Refusal::of(Code::NoLeader),
            _ => Refusal::of(Code::LaneUndeclared),
        })
    }

    /// What a name stands for, as far as it is known here.
    fn declared(&self, name: &Name) -> Option<meta::Reply> {
        let meta = routes::meta(self.host.as_ref())?;
        let found = meta.declaration(meta::Kind::REGISTER, name)?;
        Some(meta::Reply::Declared { lane: found.lane, group: found.group, new: false })
    }
}

/// The lane that the extensions of a frame name.
fn lane_of(ext: &[u8]) -> Option<u64> {
    Ext::parse(ext).ok().and_then(|ext| ext.lane())
}

// A frame's own head is never shorter than that of the command that takes its place.
const _: () = assert!(register::APPEND_OVERHEAD <= mesh_wire::frame::HEADER_BYTES);
