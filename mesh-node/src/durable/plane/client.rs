//! What clients ask, and other nodes for theirs.

use bytes::Bytes;
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
        for item in items {
            match item {
                Item::Frames(frames) => self.frames(now, link, &frames),
                Item::Large(large) => self.large(now, link, &large),
            }
        }
        self.settle(now);
    }

    /// Input: a link is over.
    pub(crate) fn handle_gone(&mut self, link: LinkId) {
        self.outlets.forget(link);
    }

    fn frames(&mut self, now: Now, link: LinkId, frames: &Bytes) {
        let mut at = 0;
        // They were checked to be whole when they were read.
        while let Ok(Some(frame)) = Frame::decode(&frames[at..]) {
            let body = frames.slice(at + frame.body_offset()..at + frame.len());
            self.ask(now, link, &frame.parts(), body);
            at += frame.len();
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
        self.counters.add(
            match parts.kind {
                Kind::Put => Counter::Puts,
                Kind::Fetch => Counter::Fetches,
                _ => Counter::Declares,
            },
            1,
        );
        let asked = match parts.kind {
            Kind::Put => self.put(now, asker, parts, body),
            Kind::Fetch => self.fetch(now, asker, parts, &body),
            _ => self.declare(now, asker, parts, &body),
        };
        if let Err(refusal) = asked {
            let what = match parts.kind {
                Kind::Put => What::Put(LaneId(0)),
                Kind::Fetch => What::Fetch(Fetch { lane: LaneId(0), from: 0, max_bytes: 0 }),
                _ => What::Meta,
            };
            self.answer(Request { asker, id: parts.id, what }, Err(refusal));
        }
    }

    fn put(&mut self, now: Now, asker: Asker, parts: &Parts<'_>, batch: Bytes) -> Result<(), Refusal> {
        let lane = Ext::parse(parts.ext).ok().and_then(|ext| ext.lane());
        let lane =
            lane.ok_or_else(|| Refusal::new(Code::ExtMalformed, "a PUT names the lane that it is for"))?;
        let group = self.group_of(LaneId(lane))?;
        register::check(&batch).map_err(|error| Refusal::new(error.code(), error.to_string()))?;
        let command = Command::Append { lane: meta::LaneId(lane), batch }.encode();
        let request = Request { asker, id: parts.id, what: What::Put(LaneId(lane)) };
        self.propose(now, group, request, command, parts.aux)
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
