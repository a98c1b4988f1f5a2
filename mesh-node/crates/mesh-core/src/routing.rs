//! Who wants a subject: the routing table.

mod id;

pub use self::id::{LinkId, Mode, SubscriptionId, Target};
