use std::time::{Duration, Instant};

use mesh_core::meta::Uuid;
use mesh_transport::endpoint::Authority;
use mesh_wire::{code::Code, name::Name};

use super::*;
use crate::{
    event::Left,
    founding::Founding,
    peer::{Key, Peer},
};

mod model;
mod outages;
mod taken;

const TTL: Duration = Duration::from_secs(9);
const CALL: Duration = Duration::from_secs(2);

fn record(id: &str, run: u8) -> Record {
    let address = Authority::parse("a:1", 1).unwrap();
    Record { started_ms: 0, ..Record::new(Name::new(id).unwrap(), Uuid([run; 16]), address) }
}

fn options(endpoints: usize) -> Options {
    Options {
        endpoints: (0..endpoints).map(|number| format!("http://e{number}")).collect(),
        ttl: TTL,
        call: CALL,
        backoff_min: Duration::from_millis(100),
        backoff_max: Duration::from_secs(5),
        seed: 0,
    }
}

/// A session, and a clock that stands until it is moved.
struct Table {
    session: Session,
    now: Instant,
}

impl Table {
    fn new(own: Record, endpoints: usize) -> Self {
        let now = Instant::now();
        let mut table = Self { session: Session::new(now, own, options(endpoints)), now };
        table.session.handle_timeout(now);
        table
    }

    /// One that is registered as `own` and watches others from revision 11 on.
    fn healthy(endpoints: usize) -> Self {
        let mut table = Self::new(record("own", 1), endpoints);
        table.connect();
        table.serve();
        assert!(table.session.is_healthy());
        assert_eq!(table.events(), [Event::Snapshot(vec![]), Event::Registered]);
        table
    }

    fn connect(&mut self) {
        assert!(matches!(self.actions()[..], [.., Action::Connect { .. }]));
        self.input(Input::Connected);
    }

    /// Answers every action as an etcd would that has nothing else to do.
    fn serve(&mut self) {
        loop {
            let actions = self.actions();
            if actions.is_empty() {
                return;
            }
            for action in actions {
                self.input(match action {
                    Action::Connect { .. } => Input::Connected,
                    Action::Grant { ttl } => Input::Granted { lease: 5, ttl },
                    Action::KeepAlive { .. } => Input::Alive,
                    Action::Register { .. } => Input::Registered,
                    Action::Read { .. } => Input::Page { items: vec![], more: false, revision: 10 },
                    Action::Watch { .. } => Input::Watching,
                    Action::Progress => Input::Progress,
                    Action::Depart { .. } => Input::Departed,
                    Action::Found { proposal, .. } => {
                        Input::Founding { ours: proposal.is_some(), founding: proposal }
                    }
                    Action::Close | Action::Look { .. } => continue,
                });
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.session.handle(self.now, input);
    }

    fn fail(&mut self, code: Code) {
        self.input(Input::Failed(Trouble { code, text: "x".into() }));
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.session.poll_action()).collect()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    fn codes(&mut self) -> Vec<Code> {
        let code = |event| match event {
            Event::Trouble(trouble) => Some(trouble.code),
            Event::Refused(error) => Some(error.code()),
            _ => None,
        };
        self.events().into_iter().filter_map(code).collect()
    }

    /// Goes on to the next moment that the session waits for.
    fn wait(&mut self) -> Duration {
        let next = self.session.poll_timeout().expect("it waits for something");
        let waited = next.saturating_duration_since(self.now);
        self.now += waited;
        self.session.handle_timeout(self.now);
        waited
    }
}

fn put(id: &str, run: u8) -> Change {
    let record = record(id, run);
    Change::Put(Item { key: id.into(), value: record.encode().unwrap() })
}

fn changes(changes: Vec<Change>) -> Input {
    Input::Changes { changes, revision: 12 }
}

#[test]
fn a_node_gets_a_lease_registers_reads_and_watches_from_the_next_revision() {
    let mut table = Table::new(record("own", 1), 1);
    assert_eq!(table.actions(), [Action::Connect { endpoint: 0 }]);
    table.input(Input::Connected);
    assert_eq!(table.actions(), [Action::Grant { ttl: TTL }, Action::Read { after: None, revision: None }]);
    table.input(Input::Granted { lease: 5, ttl: TTL });
    let own = Box::new(record("own", 1));
    assert_eq!(table.actions(), [Action::Register { lease: 5, guard: Guard::Absent, record: own }]);
    let item = |id: &str| Item { key: id.into(), value: record(id, 2).encode().unwrap() };
    table.input(Input::Page { items: vec![item("a"), item("own")], more: true, revision: 10 });
    assert_eq!(table.actions(), [Action::Read { after: Some("own".into()), revision: Some(10) }]);
    table.input(Input::Page { items: vec![item("z")], more: false, revision: 17 });
    assert_eq!(table.actions(), [Action::Watch { from: 11 }], "17 is the newest, and what was read is of 10");
    table.input(Input::Registered);
    // The key there was another run's when it was read: it is looked at again.
    assert!(matches!(table.actions()[..], [Action::Register { lease: 5, guard: Guard::Absent, .. }]));
    table.input(Input::Held(Box::new(Holder { record: Some(record("own", 1)), lease: 5, revision: 12 })));
    table.input(Input::Watching);
    let peers = ["a", "z"].map(|id| Peer::Node(Box::new(record(id, 2)))).to_vec();
    assert_eq!(table.events(), [Event::Snapshot(peers), Event::Registered]);
    assert!(table.session.is_healthy());
}

#[test]
fn the_lease_is_renewed_and_the_watch_asked_each_third_of_its_time() {
    let mut table = Table::healthy(1);
    for _ in 0..10 {
        assert_eq!(table.wait(), TTL / 3);
        assert_eq!(table.actions(), [Action::KeepAlive { lease: 5 }, Action::Progress]);
        table.input(Input::Alive);
        table.input(Input::Progress);
    }
    assert_eq!(table.events(), []);
}

#[test]
fn an_answer_that_does_not_come_is_silence() {
    for answered in [Input::Alive, Input::Progress] {
        let mut table = Table::healthy(1);
        table.wait();
        table.input(answered);
        table.actions();
        assert_eq!(table.wait(), CALL);
        assert_eq!(table.codes(), [Code::DiscoverySilent]);
        assert_eq!(table.actions(), [Action::Close]);
    }
}

#[test]
fn changes_become_events() {
    let mut table = Table::healthy(1);
    let left = |how| Event::Left { peer: Key::Node(Name::new("a").unwrap()), how };
    let a = |run| Peer::Node(Box::new(record("a", run)));
    table.input(changes(vec![put("a", 1)]));
    assert_eq!(table.events(), [Event::Joined(a(1))]);
    table.input(changes(vec![put("a", 2), put("a", 3)]));
    assert_eq!(table.events(), [Event::Changed(a(3))]);
    table.input(changes(vec![Change::Delete { key: "a".into() }]));
    assert_eq!(table.events(), [left(Left::Hint)]);
    let goodbye = Record { leaving: true, ..record("a", 3) }.encode().unwrap();
    let goodbye = Change::Put(Item { key: "a".into(), value: goodbye });
    table.input(changes(vec![put("a", 3)]));
    table.events();
    table.input(changes(vec![goodbye, Change::Delete { key: "a".into() }]));
    assert_eq!(table.events(), [left(Left::Meant)]);
}

#[test]
fn what_is_compacted_is_read_again() {
    let mut table = Table::healthy(1);
    table.input(changes(vec![put("a", 1)]));
    table.events();
    table.input(Input::Compacted);
    assert_eq!(table.actions(), [Action::Read { after: None, revision: None }]);
    let own = Item { key: "own".into(), value: record("own", 1).encode().unwrap() };
    table.input(Input::Page { items: vec![own], more: false, revision: 50 });
    assert_eq!(table.actions(), [Action::Watch { from: 51 }]);
    assert!(matches!(table.events()[..], [Event::Left { how: Left::Hint, .. }]));
    // In the midst of reading as well.
    table.input(Input::Compacted);
    table.actions();
    table.input(Input::Page {
        items: vec![Item { key: "b".into(), value: vec![] }],
        more: true,
        revision: 60,
    });
    table.input(Input::Compacted);
    assert!(matches!(table.actions()[..], [_, Action::Read { after: None, revision: None }]));
}

#[test]
fn leaving_says_goodbye_or_is_over_at_once() {
    let mut table = Table::healthy(1);
    table.session.leave(table.now, CALL);
    let goodbye = Record { leaving: true, ..record("own", 1) };
    assert_eq!(table.actions(), [Action::Depart { lease: 5, record: Box::new(goodbye) }]);
    table.input(Input::Departed);
    assert_eq!((table.session.poll_left(), table.session.has_ended()), (Some(Ok(())), true));
    assert_eq!(table.session.poll_timeout(), None);

    let mut silent = Table::healthy(1);
    silent.session.leave(silent.now, CALL);
    assert_eq!(silent.wait(), CALL);
    assert_eq!(silent.session.poll_left().unwrap().unwrap_err().code(), Code::DiscoverySilent);

    let mut never = Table::new(record("own", 1), 1);
    never.session.leave(never.now, CALL);
    assert_eq!(never.session.poll_left(), Some(Ok(())));
}

#[test]
fn a_cluster_is_founded_against_the_list_that_it_was_decided_by() {
    let cluster = Uuid([7; 16]);
    let mut table = Table::healthy(1);
    table.session.found(table.now, cluster, 1);
    let founding = Founding { cluster, voters: vec![Name::new("own").unwrap()] };
    let ask = |since| Action::Found { proposal: Some(founding.clone()), unchanged_since: Some(since) };
    assert_eq!(table.actions(), [ask(10)]);
    // Somebody came in between: what changed is on its way.
    table.input(Input::Founding { founding: None, ours: false });
    assert_eq!((table.actions(), table.session.poll_founded()), (vec![], None));
    table.input(changes(vec![]));
    assert_eq!(table.actions(), [ask(12)]);
    table.input(Input::Founding { founding: Some(founding.clone()), ours: true });
    assert_eq!(table.session.poll_founded(), Some(Ok(Founded::Ours(founding))));
    // From here on the record says so.
    let own = Record { cluster: Some(cluster), ..record("own", 1) };
    assert_eq!(table.actions(), [Action::Register { lease: 5, guard: Guard::Absent, record: Box::new(own) }]);
    table.input(Input::Held(Box::new(Holder { record: Some(record("own", 1)), lease: 5, revision: 9 })));
    assert!(matches!(table.actions()[..], [Action::Register { guard: Guard::Unchanged(9), .. }]));
}
