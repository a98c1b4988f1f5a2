//! Cubic, with a way around it for the last word of a link.
//!
//! quinn holds a `CONNECTION_CLOSE` back like data while data waits and the congestion window is full. Over a path that is
//! cut in one direction it is always full, and the side that still hears would never be told why the link ended.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use quinn::Connection;
use quinn::congestion::{Controller, ControllerFactory, ControllerMetrics, CubicConfig};
use quinn_proto::RttEstimator;

/// A window that holds nothing back, and that quinn does not pace.
const OPEN_BYTES: u64 = 1 << 40;

/// Makes a controller for each connection.
#[derive(Debug, Default)]
pub(super) struct Factory {
    cubic: Arc<CubicConfig>,
}

impl ControllerFactory for Factory {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        let cubic = Arc::clone(&self.cubic).build(now, mtu);
        Box::new(Opening { cubic, open: Arc::default() })
    }
}

/// Lets what comes next on `connection` out, whatever is under way. To be called when it is about to be closed.
pub(super) fn open(connection: &Connection) {
    if let Ok(controller) = connection.congestion_state().into_any().downcast::<Opening>() {
        controller.open.store(true, Ordering::Relaxed);
    }
}

/// Cubic, until it is opened; clones are opened together.
struct Opening {
    cubic: Box<dyn Controller>,
    open: Arc<AtomicBool>,
}

impl Controller for Opening {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.cubic.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        self.cubic.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest: Option<u64>) {
        self.cubic.on_end_acks(now, in_flight, app_limited, largest);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, is_persistent: bool, lost_bytes: u64) {
        self.cubic.on_congestion_event(now, sent, is_persistent, lost_bytes);
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.cubic.on_mtu_update(mtu);
    }

    fn window(&self) -> u64 {
        if self.open.load(Ordering::Relaxed) { OPEN_BYTES } else { self.cubic.window() }
    }

    fn metrics(&self) -> ControllerMetrics {
        self.cubic.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self { cubic: self.cubic.clone_box(), open: Arc::clone(&self.open) })
    }

    fn initial_window(&self) -> u64 {
        self.cubic.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_cubic_until_it_is_opened() {
        let now = Instant::now();
        let ours = Arc::new(Factory::default()).build(now, 1_200);
        let cubic = Arc::new(CubicConfig::default()).build(now, 1_200);
        assert_eq!((ours.window(), ours.initial_window()), (cubic.window(), cubic.initial_window()));
        let copy = ours.clone_box().into_any().downcast::<Opening>().unwrap();
        copy.open.store(true, Ordering::Relaxed);
        assert_eq!(ours.window(), OPEN_BYTES);
    }
}
