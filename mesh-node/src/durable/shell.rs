//! The actor of the durable plane, on the first data thread: a shell around [`Plane`].

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler, Message, MessageResult, ResponseFuture};
use mesh_core::meta;
use mesh_log::{keeper, writer};
use mesh_wire::code::Code;
use tokio::sync::Notify;

use super::{
    answer::Refusal,
    ingress::{Ask, Gone},
    outlets::Outlet,
    plane::Plane,
    view::GroupInfo,
};

/// Messages that may wait; who asks for more waits.
const MAILBOX: usize = 1024;
/// How long others may take to take over.
const HAND_OVER_TIME: Duration = Duration::from_secs(2);
/// How often it is looked whether they have.
const HAND_OVER_LOOK: Duration = Duration::from_millis(5);

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

/// The groups that this node has a replica of.
#[derive(Message)]
#[rtype(result = "Vec<GroupInfo>")]
pub(crate) struct ListGroups;

impl Handler<ListGroups> for Durable {
    type Result = MessageResult<ListGroups>;

    fn handle(&mut self, _: ListGroups, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.plane.borrow().list())
    }
}

/// What an operator changes. Nodes go by their names, or by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "Result<(), (Code, String)>")]
pub(crate) enum Change {
    /// Another node is to lead a group that is led here.
    Transfer {
        /// The group.
        group: u32,
        /// The node.
        node: String,
    },
    /// How many replicas each group is to have.
    Replicas(u32),
    /// A node's replicas go to others, and then it is forgotten.
    Remove {
        /// The node.
        node: String,
    },
}

impl Handler<Change> for Durable {
    type Result = ResponseFuture<Result<(), (Code, String)>>;

    fn handle(&mut self, change: Change, _: &mut Self::Context) -> Self::Result {
        let asked = self.plane.borrow_mut().change(&change);
        Box::pin(async move {
            let refused = |refusal: Refusal| (refusal.code, refusal.cause);
            let unknown = |_| (Code::OutcomeUnknown, Code::OutcomeUnknown.cause().to_owned());
            let reply = asked.map_err(refused)?.await.map_err(unknown)?.map_err(refused)?;
            match meta::Reply::decode(&reply) {
                Ok(meta::Reply::Refused { code, cause }) => {
                    let code = Code::from_number(code.into()).unwrap_or(Code::MetaCommandInvalid);
                    Err((code, cause.into()))
                }
                _ => Ok(()),
            }
        })
    }
}

/// Hand the leads of groups over to other nodes. Completes when that is done, or has taken too long.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct HandOver;

impl Handler<HandOver> for Durable {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: HandOver, _: &mut Self::Context) -> Self::Result {
        let plane = Rc::clone(&self.plane);
        plane.borrow_mut().hand_over();
        Box::pin(async move {
            let deadline = tokio::time::Instant::now() + HAND_OVER_TIME;
            // A lead has no moment of its own at which it is gone: others take it over.
            while plane.borrow().leads_others() > 0 && tokio::time::Instant::now() < deadline {
                tokio::time::sleep(HAND_OVER_LOOK).await;
            }
            let left = plane.borrow().leads_others();
            if left > 0 {
                tracing::warn!(
                    left,
                    "some groups are still led here: others elect a leader when this node is gone"
                );
            }
        })
    }
}
