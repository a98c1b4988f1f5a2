//! What goes wrong, and when it is over.

use std::{path::Path, time::Duration};

use mesh_log::vfs::simulated::Faults;

use super::{Event, World};
use crate::{
    node::restart_range,
    plan::{Fault, weather},
};

/// The end of a fault.
#[derive(Debug, Clone)]
pub enum Undo {
    /// Everything is joined again.
    Join,
    /// A link flaps: it is joined or cut again, so many times more.
    Flap {
        /// One end.
        one: u64,
        /// The other.
        other: u64,
        /// How often.
        left: u64,
    },
    /// The usual weather.
    Weather,
    /// A disk works again.
    Disk {
        /// The node.
        node: u64,
    },
    /// The nodes that were left out are back, and the others go.
    Force {
        /// The node that lacked what was new.
        behind: u64,
        /// The node that lost what was not durable.
        lost: u64,
        /// The nodes that have everything.
        ahead: Vec<u64>,
    },
    /// Members are as at first.
    Members,
}

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

impl World {
    /// Plans the next fault.
    pub(super) fn plan_fault(&mut self) {
        let after = self.random.duration(Duration::from_millis(20), self.plan.calm);
        self.queue.push(self.now + after, Event::Fault);
    }

    /// Something goes wrong.
    pub(super) fn fault(&mut self) {
        if self.healed {
            return;
        }
        self.plan_fault();
        let total: u64 = self.plan.faults.iter().map(|(_, weight)| weight).sum();
        let mut at = self.random.below(total);
        let chosen = self.plan.faults.iter().find(|(_, weight)| {
            let found = at < *weight;
            at = at.saturating_sub(*weight);
            found
        });
        if let Some((fault, _)) = chosen {
            self.strike(*fault);
        }
    }

    fn strike(&mut self, fault: Fault) {
        let running = self.running();
        let Some(node) = (!running.is_empty()).then(|| *self.random.pick(&running)) else { return };
        match fault {
            Fault::Power => self.power(node),
            Fault::PowerOfAll => running.into_iter().for_each(|node| self.power_goes(node)),
            Fault::Kill => {
                self.counts.ends += 1;
                self.end(node, "is killed");
            }
            Fault::Pause => self.pause(node),
            Fault::Cut => self.cut(),
            Fault::Force => self.force(),
            Fault::Weather => {
                let weather = weather(&mut self.random);
                self.network.set_weather(weather);
                self.trace.event(self.now, 0, "weather", &[("loss", weather.loss)]);
                self.undo_later(Undo::Weather, 200, 4_000);
            }
            Fault::Full => self.fill(node),
            Fault::Broken => self.break_disk(node),
            Fault::Slow => {
                let slow = Duration::from_millis(self.random.between(50, 600));
                self.set_faults(node, |faults| faults.sync_delay = slow);
                self.trace.event(self.now, node, "slow disk", &[("ms", slow.as_millis() as u64)]);
                self.undo_later(Undo::Disk { node }, 500, 4_000);
            }
            Fault::FlipSegment => self.flip_segment(node),
            Fault::FlipLog => self.flip_log(node),
            Fault::Clock => {
                let wrong = *self.random.pick(&[-HOUR_MS, 0, HOUR_MS]);
                self.node(node).wrong_by_ms = wrong;
                self.trace.event(self.now, node, "clock", &[("wrong", wrong as u64)]);
            }
            Fault::Wipe => self.wipe(node),
            Fault::Transfer => self.transfer(),
            Fault::Members => self.change_members(),
        }
    }

    /// The end of a fault has come. When all is healed, it has come already.
    pub(super) fn undo(&mut self, undo: Undo) {
        if self.healed {
            return;
        }
        match undo {
            Undo::Join => self.network.join_all(),
            Undo::Flap { one, other, left } => self.flap(one, other, left),
            Undo::Weather => self.network.set_weather(self.plan.weather),
            Undo::Disk { node } => self.node(node).disk.set_faults(Faults::default()),
            Undo::Force { behind, lost, ahead } => self.force_quorum(behind, lost, &ahead),
            Undo::Members => self.wanted_at_first(),
        }
    }

    fn undo_later(&mut self, undo: Undo, least_ms: u64, most_ms: u64) {
        let after = Duration::from_millis(self.random.between(least_ms, most_ms));
        self.queue.push(self.now + after, Event::Undo(undo));
    }

    // Power and processes.

    /// The power of a node goes, at once or in the midst of what its disk does next.
    fn power(&mut self, node: u64) {
        if self.random.chance(500) {
            return self.power_goes(node);
        }
        let left = self.random.below(12);
        self.set_faults(node, |faults| faults.power = Some(left));
    }

    /// The power of a node goes: what was not durable is kept or lost by chance.
    pub(crate) fn power_goes(&mut self, number: u64) {
        self.counts.crashes += 1;
        self.stop(number, "loses power");
        let mut random = self.random.fork();
        self.node(number).disk.crash(&mut random);
        let (least, most) = restart_range();
        let back = self.now + self.random.duration(least, most);
        self.queue.push(back, Event::Start { node: number });
    }

    fn pause(&mut self, number: u64) {
        let until = self.now + Duration::from_millis(self.random.between(50, 4_000));
        if self.node(number).paused.is_some() {
            return;
        }
        self.counts.pauses += 1;
        self.node(number).paused = Some(until);
        self.trace.event(self.now, number, "stands still", &[]);
        self.queue.push(until, Event::Resume { node: number });
    }

    // The network.

    fn cut(&mut self) {
        self.counts.cuts += 1;
        let mut numbers = self.numbers();
        self.random.shuffle(&mut numbers);
        let shape = self.random.below(5);
        self.trace.event(self.now, 0, "cut", &[("shape", shape), ("around", numbers[0])]);
        match shape {
            // Halves, of any size.
            0 => {
                let (some, others) = numbers.split_at(self.random.index(numbers.len()));
                for one in some {
                    others.iter().for_each(|other| self.network.cut_both(*one, *other));
                }
            }
            // A ring: each node reaches two others.
            1 => {
                for (at, one) in numbers.iter().enumerate() {
                    for (to, other) in numbers.iter().enumerate().skip(at + 2) {
                        if !(at == 0 && to == numbers.len() - 1) {
                            self.network.cut_both(*one, *other);
                        }
                    }
                }
            }
            // One node.
            2 => numbers[1..].iter().for_each(|other| self.network.cut_both(numbers[0], *other)),
            // One way only, in or out of a node, or between two.
            3 => {
                let others =
                    if self.random.chance(500) { &numbers[1..] } else { &numbers[..2.min(numbers.len())] };
                let inwards = self.random.chance(500);
                for other in others.iter().filter(|other| **other != numbers[0]) {
                    let (from, to) = if inwards { (*other, numbers[0]) } else { (numbers[0], *other) };
                    self.network.cut(from, to);
                }
            }
            _ => {
                if let [one, other, ..] = *numbers {
                    let left = self.random.between(2, 12);
                    return self.flap(one, other, left);
                }
            }
        }
        self.undo_later(Undo::Join, 100, 5_000);
    }

    fn flap(&mut self, one: u64, other: u64, left: u64) {
        if left.is_multiple_of(2) {
            self.network.join_both(one, other);
        } else {
            self.network.cut_both(one, other);
        }
        if left > 0 {
            self.undo_later(Undo::Flap { one, other, left: left - 1 }, 20, 600);
        }
    }

    /// One node is left out for a while; then a node that was not loses its power, and those two have to go on alone.
    fn force(&mut self) {
        let mut numbers = self.running();
        if numbers.len() < 3 {
            return;
        }
        self.random.shuffle(&mut numbers);
        let (behind, lost) = (numbers[0], numbers[1]);
        let ahead = numbers[2..].to_vec();
        self.trace.event(self.now, behind, "is left behind", &[]);
        for other in &numbers[1..] {
            self.network.cut_both(behind, *other);
        }
        self.undo_later(Undo::Force { behind, lost, ahead }, 200, 2_000);
    }

    fn force_quorum(&mut self, behind: u64, lost: u64, ahead: &[u64]) {
        self.network.join_all();
        for node in ahead {
            self.network.cut_both(behind, *node);
            self.network.cut_both(lost, *node);
        }
        if self.node(lost).process.is_some() {
            self.counts.crashes += 1;
            self.stop(lost, "loses power");
            self.node(lost).disk.crash_losing_all();
            let back = self.now + Duration::from_millis(self.random.between(10, 300));
            if self.random.chance(300) {
                self.damage_log(lost);
            }
            self.queue.push(back, Event::Start { node: lost });
        }
        self.undo_later(Undo::Join, 1_000, 4_000);
    }

    fn transfer(&mut self) {
        let groups: Vec<_> = self.wanted.keys().copied().collect();
        let group = *self.random.pick(&groups);
        let Some((leader, view)) = self.leader(group) else { return };
        let members: Vec<_> = view.members.voters.iter().copied().collect();
        let to = *self.random.pick(&members);
        if self.node(leader).paused.is_some() {
            return;
        }
        self.counts.transfers += 1;
        self.trace.event(
            self.now,
            leader,
            "asked to hand over",
            &[("group", u64::from(group.0)), ("to", to.0)],
        );
        self.tell(leader, |host, now| host.transfer(now, group, to));
    }

    // Disks.

    fn set_faults(&mut self, node: u64, change: impl FnOnce(&mut Faults)) {
        let disk = &self.node(node).disk;
        let mut faults = disk.faults();
        change(&mut faults);
        disk.set_faults(faults);
    }

    fn fill(&mut self, node: u64) {
        let left = self.random.below(100 << 10);
        let used = self.node(node).disk.used();
        self.set_faults(node, |faults| faults.capacity = used + left);
        self.trace.event(self.now, node, "disk fills", &[("left", left)]);
        self.undo_later(Undo::Disk { node }, 300, 3_000);
    }

    fn break_disk(&mut self, node: u64) {
        let nth = Some(self.random.between(1, 10));
        let shape = self.random.below(3);
        self.set_faults(node, |faults| match shape {
            0 => faults.failing_write = nth,
            1 => faults.failing_sync = nth,
            _ => faults.failing_read = nth,
        });
        self.trace.event(self.now, node, "disk breaks", &[("shape", shape)]);
        self.undo_later(Undo::Disk { node }, 300, 3_000);
    }

    /// Whether one more replica of everything may be lost: a majority has to stay whole, or nothing could be promised.
    fn may_lose(&mut self, node: u64) -> bool {
        if self.node(node).damaged {
            return true;
        }
        let may = self.losses_left > 0;
        self.losses_left = self.losses_left.saturating_sub(1);
        may
    }

    fn flip_segment(&mut self, node: u64) {
        if !self.may_lose(node) {
            return;
        }
        let mut random = self.random.fork();
        let flipped = self.node(node).disk.flip_any(&mut random, |path| {
            path.parent()
                .and_then(|dir| dir.file_name())
                .is_some_and(|dir| dir == mesh_log::files::SEGMENT_DIR)
        });
        if flipped.is_some() {
            self.node(node).damaged = true;
            self.counts.flips += 1;
            self.trace.event(self.now, node, "bit flips in a segment", &[]);
            self.trace.note(self.now, || format!("{flipped:?}"));
        }
    }

    /// The log is damaged while the node is down.
    fn flip_log(&mut self, node: u64) {
        if !self.node(node).damaged && self.losses_left == 0 {
            return;
        }
        self.counts.crashes += 1;
        self.stop(node, "loses power");
        let mut random = self.random.fork();
        self.node(node).disk.crash(&mut random);
        self.damage_log(node);
        let back = self.now + Duration::from_millis(self.random.between(50, 1_000));
        self.queue.push(back, Event::Start { node });
    }

    fn damage_log(&mut self, node: u64) {
        if !self.may_lose(node) {
            return;
        }
        // Most bits are of nothing that is needed any more.
        let tries = if self.plan.cluster.is_some() { 8 } else { 1 };
        for left in (0..tries).rev() {
            let mut random = self.random.fork();
            let of_log = |path: &Path| path.extension().is_some_and(|extension| extension == "wal");
            let node_down = self.node(node);
            let before = node_down.look_at_log();
            let flipped = node_down.disk.flip_any(&mut random, of_log);
            let after = node_down.look_at_log();
            if let (Some(before), Some(after), Some((path, offset, bit))) = (before, after, &flipped)
                && before.damage.len() == after.damage.len()
                && (before.groups != after.groups || left > 0)
            {
                // Of no use, or in the last block, which nothing tells from a torn one before another one is written. No
                // log could.
                node_down.disk.flip(path, *offset, *bit);
                continue;
            }
            self.node(node).damaged = true;
            self.counts.flips += 1;
            self.trace.event(self.now, node, "bit flips in the log", &[]);
            self.trace.note(self.now, || format!("{flipped:?}"));
            return;
        }
    }

    // Members.

    /// A node is lost for good, and another one takes its place.
    fn wipe(&mut self, node: u64) {
        if self.plan.cluster.is_some() {
            return self.replace(node);
        }
        if self.nodes.len() >= 9 || self.plan.nodes < 3 || !self.may_lose(node) {
            return;
        }
        self.stop(node, "is lost for good");
        let lost = self.node(node);
        lost.gone = true;
        lost.disk.wipe();
        let new = self.nodes.len() as u64 + 1;
        self.add_node(new);
        let groups: Vec<_> = self.wanted.keys().copied().collect();
        for group in groups {
            let mut voters: Vec<u64> = self.wanted[&group].voters.iter().map(|voter| voter.0).collect();
            for voter in &mut voters {
                if *voter == node {
                    *voter = new;
                }
            }
            self.want(group, &voters);
        }
    }

    /// A node is lost for good, and another one of its name joins the cluster.
    fn replace(&mut self, node: u64) {
        if !self.may_join() || !self.may_lose(node) {
            return;
        }
        self.stop(node, "is lost for good");
        let lost = self.node(node);
        (lost.gone, lost.damaged) = (true, true);
        lost.disk.wipe();
        self.add_joining(Some(node));
    }

    /// More members, for a while.
    fn change_members(&mut self) {
        if self.plan.cluster.is_some() {
            return self.operate();
        }
        if self.plan.nodes < 3 {
            return;
        }
        let numbers = self.numbers();
        if numbers.len() < 5 {
            let next = self.nodes.len() as u64 + 1;
            self.add_node(next);
        }
        let numbers = self.numbers();
        let groups: Vec<_> = self.wanted.keys().copied().collect();
        for group in groups {
            let mut voters = numbers.clone();
            self.random.shuffle(&mut voters);
            voters.truncate(if self.random.chance(500) { 3 } else { 5 });
            voters.sort_unstable();
            self.want(group, &voters);
        }
        self.trace.event(self.now, 0, "other members wanted", &[]);
        self.undo_later(Undo::Members, 1_000, 4_000);
    }

    fn wanted_at_first(&mut self) {
        let mut voters = self.numbers();
        voters.truncate(self.plan.nodes as usize);
        let groups: Vec<_> = self.wanted.keys().copied().collect();
        groups.into_iter().for_each(|group| self.want(group, &voters));
    }

    /// Nothing is wrong any more.
    pub(super) fn heal(&mut self) {
        self.healed = true;
        self.trace.event(self.now, 0, "all is healed", &[]);
        self.network.join_all();
        self.network.set_weather(crate::network::Weather::FAIR);
        for number in self.numbers() {
            let paused = self.node(number).paused.is_some();
            self.node(number).disk.set_faults(Faults::default());
            if paused {
                self.resume(number);
            }
            if self.node(number).process.is_none() {
                self.queue.push(self.now, Event::Start { node: number });
            }
        }
    }
}
