//! The frames of peers, to the plane.

use std::{cell::RefCell, future, pin::Pin, rc::Rc};

use mesh_core::peering::LinkNumber;
use mesh_wire::{code::Code, name::Name};

use super::Plane;
use crate::peer::{Fault, FrameHandler, PeerFrames, PeerUp};

/// See the module.
pub(crate) struct DurablePeers(pub(crate) Rc<RefCell<Plane>>);

impl FrameHandler for DurablePeers {
    fn up(&self, peer: PeerUp) {
        self.0.borrow_mut().handle_up(peer);
    }

    fn handle(&self, frames: PeerFrames) -> Pin<Box<dyn Future<Output = Result<(), Fault>>>> {
        Box::pin(future::ready(self.0.borrow_mut().handle_peer_frames(&frames)))
    }

    fn down(&self, _: &Name, link: LinkNumber, code: Option<Code>) {
        self.0.borrow_mut().handle_down(link, code);
    }
}
