//! The actor of the durable plane, on the first data thread: a shell around [`Plane`].

use std::{cell::RefCell, rc::Rc};

use actix::{Actor, Context, Handler, Message};
use mesh_log::{keeper, writer};
use tokio::sync::Notify;

use super::{
    ingress::{Ask, Gone},
    outlets::Outlet,
    plane::Plane,
};

/// Messages that may wait; who asks for more waits.
const MAILBOX: usize = 1024;

/// See the module.
pub(crate) struct Durable {
    plane: Rc<RefCell<Plane>>,
    rearm: Rc<Notify>,
}

impl Durable {
    pub(super) fn new(plane: Rc<RefCell<Plane>>, rearm: Rc<Notify>) -> Self {
        Self { plane, rearm }
    }
}

impl Actor for Durable {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        let task = run_timer(Rc::downgrade(&self.plane), Rc::clone(&self.rearm));
        actix_rt::spawn(task);
        self.rearm.notify_one();
    }
}

/// Lets the plane know when its time has come, until it is gone.
async fn run_timer(plane: std::rc::Weak<RefCell<Plane>>, rearm: Rc<Notify>) {
    loop {
        let Some(due) = plane.upgrade().map(|plane| plane.borrow().due()) else { return };
        match due {
            Some(due) => {
                tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => match plane.upgrade() {
                        Some(plane) => plane.borrow_mut().handle_timer(),
                        None => return,
                    },
                    () = rearm.notified() => {}
                }
            }
            None => rearm.notified().await,
        }
    }
}

/// The log's thread tells something.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct FromWriter(pub(super) writer::Event);

impl Handler<FromWriter> for Durable {
    type Result = ();

    fn handle(&mut self, FromWriter(event): FromWriter, _: &mut Self::Context) {
        self.plane.borrow_mut().handle_writer(event);
    }
}

/// A thread of segments and checkpoints tells something.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct FromKeeper(pub(super) keeper::Event);

impl Handler<FromKeeper> for Durable {
    type Result = ();

    fn handle(&mut self, FromKeeper(event): FromKeeper, _: &mut Self::Context) {
        self.plane.borrow_mut().handle_keeper(event);
    }
}

impl Handler<Ask> for Durable {
    type Result = ();

    fn handle(&mut self, Ask { link, subscriber, items }: Ask, _: &mut Self::Context) {
        self.plane.borrow_mut().handle_link(link, || Outlet::There(subscriber), items);
    }
}

impl Handler<Gone> for Durable {
    type Result = ();

    fn handle(&mut self, Gone(link): Gone, _: &mut Self::Context) {
        self.plane.borrow_mut().handle_gone(link);
    }
}
