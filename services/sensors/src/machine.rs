//! This machine's readings.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sysinfo::{CpuRefreshKind, DiskRefreshKind, Disks, MemoryRefreshKind, Networks, RefreshKind, System};

use crate::reading::Unit;
use crate::series::token;

/// Shortest time between two readings: below it a processor's load says nothing.
pub const INTERVAL_MIN: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;
/// Most readings of one round; a machine with more cores, disks and interfaces than that is read in part.
pub const READINGS_PER_ROUND: usize = 512;

/// Reads processors, memory, disks, network and load of the machine it runs on.
#[derive(Debug)]
pub struct Machine {
    system: System,
    disks: Disks,
    networks: Networks,
    read_at: Instant,
}

/// One value of the machine: its kind, the value, and what it counts.
pub type Sample = (String, f64, Unit);

impl Machine {
    /// Gets ready. Rates and loads are relative to the moment before: the first round says what happened since now.
    pub fn new() -> Self {
        let system = System::new_with_specifics(
            RefreshKind::nothing()
                .with_cpu(CpuRefreshKind::nothing().with_cpu_usage())
                .with_memory(MemoryRefreshKind::nothing().with_ram().with_swap()),
        );
        let disks = Disks::new_with_refreshed_list_specifics(disk_parts());
        Self { system, disks, networks: Networks::new_with_refreshed_list(), read_at: Instant::now() }
    }

    /// The host's name as one token of a subject.
    pub fn host() -> String {
        token(&System::host_name().unwrap_or_default(), "localhost")
    }

    /// Reads everything. Kinds are unique within a round, which holds at most [`READINGS_PER_ROUND`]. Blocks for some
    /// milliseconds: it reads files of the kernel.
    pub fn read(&mut self) -> Vec<Sample> {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.disks.refresh_specifics(true, disk_parts());
        self.networks.refresh(true);
        let elapsed = self.read_at.elapsed();
        self.read_at = Instant::now();

        let mut samples = Vec::new();
        self.processors(&mut samples);
        self.memory(&mut samples);
        load(&mut samples);
        self.disks(elapsed, &mut samples);
        self.network(elapsed, &mut samples);
        samples.truncate(READINGS_PER_ROUND);
        samples
    }

    fn processors(&self, samples: &mut Vec<Sample>) {
        samples.push(("cpu.total".to_owned(), self.system.global_cpu_usage().into(), Unit::Percent));
        for (number, core) in self.system.cpus().iter().enumerate() {
            samples.push((format!("cpu.core.{number}"), core.cpu_usage().into(), Unit::Percent));
        }
    }

    fn memory(&self, samples: &mut Vec<Sample>) {
        for (kind, bytes) in [
            ("memory.total", self.system.total_memory()),
            ("memory.used", self.system.used_memory()),
            ("memory.available", self.system.available_memory()),
            ("memory.swap_used", self.system.used_swap()),
        ] {
            samples.push((kind.to_owned(), bytes as f64, Unit::Bytes));
        }
    }

    fn disks(&self, elapsed: Duration, samples: &mut Vec<Sample>) {
        let mut taken = BTreeSet::new();
        for disk in self.disks.list().iter().filter(|disk| disk.total_space() > 0) {
            let name = unique(&mut taken, token(&disk.mount_point().to_string_lossy(), "root"));
            let used = disk.total_space().saturating_sub(disk.available_space());
            let usage = disk.usage();
            samples.push((format!("disk.{name}.used"), share(used, disk.total_space()), Unit::Percent));
            samples.push((
                format!("disk.{name}.read"),
                rate(usage.read_bytes, elapsed),
                Unit::BytesPerSecond,
            ));
            samples.push((
                format!("disk.{name}.written"),
                rate(usage.written_bytes, elapsed),
                Unit::BytesPerSecond,
            ));
        }
    }

    fn network(&self, elapsed: Duration, samples: &mut Vec<Sample>) {
        let mut taken = BTreeSet::new();
        let mut interfaces: Vec<_> = self.networks.list().iter().collect();
        interfaces.sort_by_key(|(name, _)| *name);
        for (name, interface) in interfaces {
            let name = unique(&mut taken, token(name, "interface"));
            let (received, sent) = (interface.received(), interface.transmitted());
            samples.push((format!("network.{name}.received"), rate(received, elapsed), Unit::BytesPerSecond));
            samples.push((format!("network.{name}.sent"), rate(sent, elapsed), Unit::BytesPerSecond));
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

fn disk_parts() -> DiskRefreshKind {
    DiskRefreshKind::nothing().with_storage().with_io_usage()
}

fn load(samples: &mut Vec<Sample>) {
    let load = System::load_average();
    for (kind, value) in [("load.1m", load.one), ("load.5m", load.five), ("load.15m", load.fifteen)] {
        samples.push((kind.to_owned(), value, Unit::Load));
    }
}

/// Two mount points may shorten to the same token; those that come later get a number.
fn unique(taken: &mut BTreeSet<String>, name: String) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let free =
        std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name);
    taken.insert(free.clone());
    free
}

fn rate(bytes: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Series;

    #[test]
    fn the_machine_has_what_every_machine_has() {
        let mut machine = Machine::new();
        let samples = machine.read();
        let kinds: BTreeSet<&str> = samples.iter().map(|(kind, ..)| kind.as_str()).collect();
        assert_eq!(kinds.len(), samples.len(), "a kind came twice: {samples:?}");
        for kind in ["cpu.total", "cpu.core.0", "memory.used", "memory.total", "load.1m"] {
            assert!(kinds.contains(kind), "{kind} is missing in {kinds:?}");
        }
        for (kind, value, unit) in &samples {
            assert!(Series::new(&Machine::host(), kind).is_some(), "{kind} can't stand in a subject");
            assert!(value.is_finite() && *value >= 0.0, "{kind} is {value}");
            assert!(*unit != Unit::Percent || *value <= 100.5, "{kind} is {value}");
        }
        let value =
            |wanted: &str| samples.iter().find(|(kind, ..)| kind == wanted).map(|(_, value, _)| *value);
        assert!(value("memory.total") > Some(0.0));
        assert!(value("memory.used") < value("memory.total"));
    }

    #[test]
    fn rates_and_shares() {
        assert_eq!(rate(1_000, Duration::from_millis(500)), 2_000.0);
        assert_eq!(rate(1_000, Duration::ZERO), 0.0);
        assert_eq!(share(1, 4), 25.0);
        assert_eq!(share(1, 0), 0.0);
    }

    #[test]
    fn names_that_meet_are_numbered() {
        let mut taken = BTreeSet::new();
        let named = ["a", "a", "b", "a_2", "a"].map(|name| unique(&mut taken, name.to_owned()));
        assert_eq!(named, ["a", "a_2", "b", "a_2_2", "a_3"]);
    }
}
