//! The durable plane, on the first data thread.

use actix::{Addr, Handler};

use super::DataThread;
use crate::durable::{self, Durable, StartDurable};

impl Handler<StartDurable> for DataThread {
    type Result = Result<Addr<Durable>, durable::Error>;

    fn handle(&mut self, StartDurable(opened): StartDurable, _: &mut Self::Context) -> Self::Result {
        let (address, plane) = durable::start(&self.thread.shared, *opened)?;
        let first = self.thread.plane.set(plane).is_ok();
        assert!(first, "a node has one durable plane");
        Ok(address)
    }
}
