//! One outbox for each lane of a link.

use mesh_wire::class::Class;

use super::Outbox;

/// The outboxes of one link: one for everything, or one for each class where the carrier keeps classes apart.
#[derive(Debug)]
pub struct Lanes<K>(Box<[Outbox<K>]>);

impl<K> Lanes<K> {
    /// One outbox, and so one order, for every class.
    #[must_use]
    pub fn shared() -> Self {
        Self(Box::new([Outbox::new()]))
    }

    /// An outbox for each class; order holds within a class only.
    #[must_use]
    pub fn separate() -> Self {
        Self(Class::ALL.iter().map(|_| Outbox::new()).collect())
    }

    /// Whether all classes share one outbox.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.len() == 1
    }

    /// The outbox that takes `class`.
    #[inline]
    pub fn of(&mut self, class: Class) -> &mut Outbox<K> {
        let lane = if self.is_shared() { 0 } else { class.index() };
        &mut self.0[lane]
    }

    /// Every outbox with the class that goes through it, the first to be written first. A shared one counts as that of
    /// [`Class::Control`].
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Class, &mut Outbox<K>)> {
        Class::ALL.into_iter().zip(&mut self.0)
    }

    /// Output: the key of a large message whose last chunk is on a wire queue.
    pub fn poll_sent(&mut self) -> Option<K> {
        self.0.iter_mut().find_map(Outbox::poll_sent)
    }

    /// Everything that waits, in bytes.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.0.iter().map(Outbox::queued_bytes).sum()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Outbox::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use mesh_wire::frame::{Kind, Parts};

    use super::*;

    fn fill(mut lanes: Lanes<u32>) -> Lanes<u32> {
        for (kind, id) in [(Kind::Deliver, 1), (Kind::Ok, 2), (Kind::Call, 3)] {
            lanes.of(kind.class()).push_frame(&Parts::bare(kind, id)).unwrap();
        }
        lanes
    }

    fn lens(lanes: &mut Lanes<u32>) -> Vec<(Class, usize)> {
        let waiting = |outbox: &mut Outbox<u32>| outbox.poll_write().iter().map(bytes::Bytes::len).sum();
        lanes.iter_mut().map(|(class, outbox)| (class, waiting(outbox))).filter(|(_, len)| *len > 0).collect()
    }

    #[test]
    fn a_shared_one_takes_every_class_in_one_order() {
        let mut lanes = fill(Lanes::shared());
        assert_eq!(lanes.queued_bytes(), 3 * 24);
        assert_eq!(lens(&mut lanes), [(Class::Control, 3 * 24)]);
        lanes.of(Class::Bulk).handle_written(3 * 24);
        assert!(lanes.is_empty());
    }

    #[test]
    fn separate_ones_come_in_the_order_of_their_classes() {
        let mut lanes = fill(Lanes::separate());
        assert_eq!(lens(&mut lanes), [(Class::Control, 24), (Class::Request, 24), (Class::Publish, 24)]);
        assert_eq!(lanes.queued_bytes(), 3 * 24);
        for class in [Class::Control, Class::Request] {
            lanes.of(class).handle_written(24);
        }
        assert!(!lanes.is_empty());
        lanes.of(Class::Publish).handle_written(24);
        assert!(lanes.is_empty());
    }

    #[test]
    fn what_was_sent_of_any_lane_is_told() {
        let mut lanes = Lanes::separate();
        for (key, kind) in [(1, Kind::Deliver), (2, Kind::Call)] {
            let large = crate::large::Large::new(&Parts::bare(kind, 7), vec![0; 9].into()).unwrap();
            lanes.of(Class::of_large(kind)).push_large(key, large);
        }
        assert_eq!(lanes.poll_sent(), None);
        assert_eq!(lens(&mut lanes).len(), 2);
        let mut sent: Vec<u32> = std::iter::from_fn(|| lanes.poll_sent()).collect();
        sent.sort_unstable();
        assert_eq!(sent, [1, 2]);
    }
}
