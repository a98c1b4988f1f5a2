//! What a run is going to be like: all of it follows from the seed.

use std::time::Duration;

use mesh_log::{bug::Bugs, vfs::simulated::SplitMix64};

use crate::network::Weather;

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The power of one node goes.
    Power,
    /// The power of all nodes goes.
    PowerOfAll,
    /// A process is killed.
    Kill,
    /// A process stands still for a while.
    Pause,
    /// The network is cut.
    Cut,
    /// A node that lacks what is new and one that lost what was not durable are all that is left.
    Force,
    /// The network is bad.
    Weather,
    /// A disk is full.
    Full,
    /// A write or a sync fails.
    Broken,
    /// A sync takes long.
    Slow,
    /// A bit of a file that is done with flips.
    FlipSegment,
    /// A bit of the log flips while the node is down.
    FlipLog,
    /// A clock jumps.
    Clock,
    /// A node loses its directory for good; another one takes its place.
    Wipe,
    /// The lead is handed over.
    Transfer,
    /// Members come and go.
    Members,
}

impl Fault {
    /// All of them, with how often they come compared to each other.
    pub const ALL: [(Self, u64); 16] = [
        (Self::Power, 10),
        (Self::PowerOfAll, 3),
        (Self::Kill, 4),
        (Self::Pause, 6),
        (Self::Cut, 12),
        (Self::Force, 8),
        (Self::Weather, 4),
        (Self::Full, 4),
        (Self::Broken, 4),
        (Self::Slow, 3),
        (Self::FlipSegment, 3),
        (Self::FlipLog, 3),
        (Self::Clock, 3),
        (Self::Wipe, 1),
        (Self::Transfer, 5),
        (Self::Members, 3),
    ];
}

/// What a cluster is like that its meta group knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cluster {
    /// Replicas of each group at first.
    pub replicas: u32,
    /// Over how many zones its nodes are spread; 0 when they have none.
    pub zones: u64,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where it all comes from.
    pub seed: u64,
    /// Nodes that are voters of all groups at first.
    pub nodes: u64,
    /// Groups beside the meta group.
    pub groups: u32,
    /// Lanes of each group.
    pub lanes: u64,
    /// Clients.
    pub clients: u64,
    /// Records of one append.
    pub records_max: u64,
    /// Bytes of one record.
    pub record_bytes_max: usize,
    /// In how many of 1,000 cases a client reads.
    pub reads: u64,
    /// How long a client thinks, at most.
    pub think: Duration,
    /// The usual weather.
    pub weather: Weather,
    /// How long faults come.
    pub safety: Duration,
    /// How long it may take until all is well after the last one.
    pub liveness: Duration,
    /// How long it is from one fault to the next, at most.
    pub calm: Duration,
    /// Which faults come.
    pub faults: Vec<(Fault, u64)>,
    /// With this the meta group says who has which group, and nodes see to it by their reconciler. Without it that comes
    /// from outside, and is changed more often.
    pub cluster: Option<Cluster>,
    /// Which bugs are back.
    pub bugs: Bugs,
}

impl Plan {
    /// What follows from a seed. One of four is a cluster that its meta group knows of.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let plan = Self::given(seed);
        if SplitMix64::new(seed ^ 0x706c_6163_656d_6e74).chance(250) { plan.with_cluster() } else { plan }
    }

    /// What follows from a seed when it is said from outside who has which group.
    #[must_use]
    pub fn given(seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let weather = weather(&mut random);
        let mut faults = Fault::ALL.to_vec();
        // Fewer kinds in a run show more of each, and of what they do together.
        random.shuffle(&mut faults);
        faults.truncate(random.between(1, Fault::ALL.len() as u64) as usize);
        Self {
            seed,
            nodes: [1, 3, 3, 3, 3, 3, 5, 5][random.index(8)],
            groups: random.between(1, 2) as u32,
            lanes: random.between(1, 3),
            clients: random.between(1, 4),
            records_max: *random.pick(&[1, 4, 16]),
            record_bytes_max: *random.pick(&[40, 200, 2_000]),
            reads: *random.pick(&[50, 200, 500]),
            think: Duration::from_millis(*random.pick(&[5, 30, 150])),
            weather,
            safety: random.duration(Duration::from_secs(5), Duration::from_secs(12)),
            liveness: Duration::from_secs(60),
            calm: Duration::from_millis(*random.pick(&[300, 1_000, 2_500])),
            faults,
            cluster: None,
            bugs: Bugs::default(),
        }
    }

    /// The same with a meta group that knows the cluster: larger, and for longer, since a reconciler takes its time.
    #[must_use]
    pub fn with_cluster(self) -> Self {
        let mut random = SplitMix64::new(self.seed ^ 0x636c_7573_7465_7273);
        let nodes = *random.pick(&[3, 3, 4, 5, 5]);
        let replicas = if nodes == 5 && random.chance(300) { 5 } else { 3 };
        let zones = *random.pick(&[0, 0, 2, 3]);
        let longest = Duration::from_secs(*random.pick(&[20, 20, 50]));
        let mut faults = self.faults;
        for (fault, weight) in [(Fault::Members, 6), (Fault::Wipe, 3), (Fault::FlipLog, 5)] {
            faults.retain(|(other, _)| *other != fault);
            if random.chance(600) {
                faults.push((fault, weight));
            }
        }
        if faults.is_empty() {
            faults.push((Fault::Kill, 1));
        }
        Self {
            nodes,
            groups: random.between(1, 4) as u32,
            clients: random.between(1, 4),
            safety: random.duration(Duration::from_secs(8), longest),
            liveness: Duration::from_secs(240),
            calm: Duration::from_millis(*random.pick(&[800, 3_000, 8_000])),
            cluster: Some(Cluster { replicas, zones }),
            faults,
            ..self
        }
    }

    /// The same with bugs.
    #[must_use]
    pub fn with_bugs(self, bugs: Bugs) -> Self {
        Self { bugs, ..self }
    }

    /// The same with these faults only, and with three nodes at least.
    #[must_use]
    pub fn with_faults(self, faults: &[Fault]) -> Self {
        let nodes = self.nodes.max(3);
        Self { nodes, faults: faults.iter().map(|fault| (*fault, 1)).collect(), ..self }
    }
}

/// Fair, mostly; else anything up to very bad.
pub fn weather(random: &mut SplitMix64) -> Weather {
    if random.chance(400) {
        return Weather::FAIR;
    }
    Weather {
        least: Duration::from_micros(random.between(50, 1_000)),
        most: Duration::from_micros(*random.pick(&[500, 5_000, 40_000])).max(Duration::from_millis(1)),
        loss: *random.pick(&[0, 5, 50, 150]),
        doubles: *random.pick(&[0, 5, 50]),
        late: *random.pick(&[0, 2, 20]),
    }
}
