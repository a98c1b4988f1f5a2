//! What other nodes say.

use std::sync::Arc;

use bytes::Bytes;
use mesh_core::{meta, peering::LinkNumber};
use mesh_log::id::GroupId;
use mesh_replica::{
    clock::Now,
    codec::Received,
    id::NodeNumber,
    ident::{self, Ident, Join, Verdict},
};
use mesh_shard::join;
use mesh_wire::{code::Code, frame::Frame, name::Name};

use super::{
    super::{
        answer::Refusal,
        direct::Source,
        routes,
        waiting::{Asker, Request, What},
    },
    Plane,
};
use crate::peer::{Fault, PeerFrames, PeerUp};

impl Plane {
    /// Input: a link with another node is up.
    pub(crate) fn handle_up(&mut self, up: PeerUp) {
        let now = self.clock.now();
        let PeerUp { link, sender, .. } = up;
        self.nodes.up(link, sender);
        let own = self.ident();
        self.nodes.say(link, &own);
        self.settle(now);
    }

    /// Input: a link is over.
    pub(crate) fn handle_down(&mut self, link: LinkNumber, code: Option<Code>) {
        let now = self.clock.now();
        if let Some(node) = self.nodes.down(link) {
            if let Some(host) = &mut self.host {
                host.handle_peer(now, node, false);
            }
            let lost = self.forwards.lost(node);
            self.give_up(lost);
        }
        if let Some(code) = code {
            self.refused_as_member(code);
        }
        self.settle(now);
    }

    /// Input: frames of one read.
    ///
    /// # Errors
    /// What the link is closed for.
    pub(crate) fn handle_peer_frames(&mut self, batch: &PeerFrames) -> Result<(), Fault> {
        let now = self.clock.now();
        let frames = &batch.frames;
        let mut at = 0;
        while let Ok(Some(frame)) = Frame::decode(&frames[at..]) {
            let whole = frames.slice(at..at + frame.len());
            at += whole.len();
            let Some(link) = self.nodes.link(batch.link) else { return Ok(()) };
            let received = link.decoder.decode(&whole);
            let received = received.map_err(|error| Fault::new(error.code(), error.to_string()))?;
            self.received(now, batch.link, &batch.node, received)?;
        }
        self.source = Some(Source::Peer(batch.link));
        self.settle(now);
        Ok(())
    }

    fn received(
        &mut self,
        now: Now,
        link: LinkNumber,
        name: &Arc<Name>,
        received: Received,
    ) -> Result<(), Fault> {
        match received {
            Received::Ident(theirs) => return self.identify(now, link, name, &theirs),
            Received::Join(join) => self.join(now, link, name, join),
            Received::Nothing => {}
            other => {
                // Lanes are in no order with each other: what comes before its sender has said who it is, is lost.
                let Some(node) = self.nodes.link(link).and_then(|link| link.number) else { return Ok(()) };
                match other {
                    Received::Messages(messages) => {
                        if let Some(host) = &mut self.host {
                            messages.into_iter().for_each(|message| host.handle_message(now, node, message));
                        }
                    }
                    Received::Forward(forward) => self.handle_forwarded_request(now, node, forward),
                    Received::Forwarded(answer) => self.handle_forwarded(answer),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Who this node is, as it says to others.
    pub(in crate::durable) fn ident(&self) -> Ident {
        let meta = routes::meta(self.host.as_ref());
        Ident {
            cluster: self.steward.directory.cluster(),
            directory: self.steward.directory.uuid(),
            number: self.steward.directory.number().map(NodeNumber),
            level: meta::LEVEL,
            cluster_level: meta.map_or(0, meta::Meta::level),
            founders: self.steward.directory.founders().cloned(),
        }
    }

    fn identify(&mut self, now: Now, link: LinkNumber, name: &Name, theirs: &Ident) -> Result<(), Fault> {
        let own = self.ident();
        let nobody = meta::Meta::new();
        let meta = routes::meta(self.host.as_ref()).unwrap_or(&nobody);
        let known = join::Nodes { meta, plan: self.steward.plan.as_ref(), founders: self.steward.founders() };
        match ident::judge(&own, name.as_str(), theirs, &known) {
            Verdict::Accept(number) => {
                self.nodes.is(link, number);
                if let Some(host) = &mut self.host {
                    host.handle_peer(now, number, true);
                }
            }
            Verdict::Join => {}
            Verdict::Refuse(unfit) => return Err(Fault::new(unfit.code(), unfit.to_string())),
        }
        if let Some(link) = self.nodes.link(link) {
            link.said = Some((name.clone(), theirs.clone()));
        }
        if own.number.is_none() {
            self.ask_for_number(link);
        }
        self.found(now);
        Ok(())
    }

    fn join(&mut self, now: Now, link: LinkNumber, name: &Name, join: Join) {
        match join {
            Join::Ask { about } => {
                let request = Request { asker: Asker::Joining(link), id: 0, what: What::Meta };
                let asked = join::admit(name.as_str(), &about).map_err(Refusal::of);
                let asked = asked.and_then(|command| self.propose(now, GroupId::META, request, command, 0));
                if let Err(refusal) = asked {
                    self.answer(request, Err(refusal));
                }
            }
            Join::Given { cluster, number } => self.joined(now, cluster, number),
            Join::Refused { code } => {
                let code = Code::from_number(code);
                tracing::info!(code = code.map(tracing::field::display), "no number in the cluster yet");
            }
        }
    }

    /// What came of another node's wish for a number.
    pub(super) fn answer_joining(&mut self, link: LinkNumber, outcome: Result<Bytes, Refusal>) {
        let join = match outcome.map(|reply| meta::Reply::decode(&reply)) {
            Ok(Ok(reply)) => join::answer(&reply),
            Ok(Err(_)) => Join::Refused { code: Code::OutcomeUnknown.number().into() },
            Err(Refusal { code, .. }) => Join::Refused { code: code.number().into() },
        };
        self.nodes.join(link, &join);
    }

    /// Says to all who this node is now.
    pub(in crate::durable) fn say_again(&mut self) {
        let own = self.ident();
        let links: Vec<LinkNumber> = self.nodes.links().map(|(link, _)| link).collect();
        links.into_iter().for_each(|link| self.nodes.say(link, &own));
    }
}
