//! Looks again and again whether the clients on a data thread still are who they were let in as.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, SystemTime},
};

use actix::Addr;
use mesh_core::routing::LinkId;
use mesh_identity::store::Store;

use super::Link;
use crate::subscriber::{Subscriber, message::Fail};

/// How often: a certificate or token that has ended, or was revoked, ends its link within this time.
pub(crate) const RECHECK_TIME: Duration = Duration::from_secs(5);

/// The links of one data thread whose identity can lapse.
#[derive(Default)]
pub(crate) struct Lapsing(RefCell<BTreeMap<LinkId, Entry>>);

type Entry = (Rc<Link>, Addr<Subscriber>);

impl Lapsing {
    pub(super) fn add(&self, link: &Rc<Link>, subscriber: &Addr<Subscriber>) {
        if link.identity.can_lapse() {
            self.0.borrow_mut().insert(link.id, (Rc::clone(link), subscriber.clone()));
        }
    }

    pub(super) fn remove(&self, id: LinkId) {
        self.0.borrow_mut().remove(&id);
    }

    /// Closes the links whose identity has lapsed.
    pub(crate) fn recheck(&self, store: Option<&Store>, now: SystemTime) {
        for (link, subscriber) in self.0.borrow().values() {
            if let Err(fault) = link.identity.recheck(store, now) {
                subscriber.do_send(Fail { code: fault.code, cause: fault.cause });
            }
        }
    }
}
