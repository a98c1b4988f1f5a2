//! One address that is to be dialled.

use std::sync::Arc;
use std::time::Instant;

use mesh_wire::code::Code;
use mesh_wire::name::Name;

use super::LinkNumber;
use super::backoff::Backoff;

/// One address that is to be dialled.
#[derive(Debug)]
pub(super) struct Target {
    /// `host:port`.
    pub(super) address: Arc<str>,
    /// The node that answered there last.
    pub(super) node: Option<Name>,
    pub(super) step: Step,
    /// Failures since the last link that lasted.
    pub(super) attempts: u32,
    /// Why the last attempt failed.
    pub(super) fault: Option<Code>,
    /// Whether it is still among the addresses that were told.
    pub(super) is_wanted: bool,
}

/// What is done with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// To be dialled from then on, unless there is a link with its node.
    Waiting { until: Instant },
    /// Being dialled.
    Dialling(LinkNumber),
    /// The node's own.
    Own,
}

impl Target {
    pub(super) fn new(now: Instant, address: &str) -> Self {
        let step = Step::Waiting { until: now };
        Self { address: address.into(), node: None, step, attempts: 0, fault: None, is_wanted: true }
    }

    pub(super) fn dialling(&self) -> Option<LinkNumber> {
        match self.step {
            Step::Dialling(link) => Some(link),
            _ => None,
        }
    }

    pub(super) fn is_dialling(&self, link: LinkNumber) -> bool {
        self.dialling() == Some(link)
    }

    /// When it is to be dialled, if it is waiting for that.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.step {
            Step::Waiting { until } if self.is_wanted => Some(until),
            _ => None,
        }
    }

    /// A dial has become the link with its node. Should that end, its address is due.
    pub(super) fn linked(&mut self, now: Instant) {
        self.fault = None;
        self.step = Step::Waiting { until: now };
    }

    /// A dial came to nothing.
    pub(super) fn failed(&mut self, now: Instant, code: Code, backoff: &mut Backoff) {
        self.fault = Some(code);
        self.step = match code {
            Code::PeerIsSelf => Step::Own,
            _ => Step::Waiting { until: now + backoff.after(self.attempts) },
        };
        self.attempts = self.attempts.saturating_add(1);
    }

    /// The link with the node at this address is over.
    pub(super) fn lost(
        &mut self,
        now: Instant,
        code: Option<Code>,
        is_on_purpose: bool,
        backoff: &mut Backoff,
    ) {
        if self.dialling().is_some() || self.step == Step::Own {
            return;
        }
        self.fault = code;
        let wait = if is_on_purpose { backoff.longest() } else { backoff.after(self.attempts) };
        self.step = Step::Waiting { until: now + wait };
        self.attempts = self.attempts.saturating_add(1);
    }
}
