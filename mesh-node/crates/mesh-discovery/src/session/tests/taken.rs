//! Who else has the id, and whether they live.

use super::*;

fn held(holder: Option<Record>, lease: i64) -> Input {
    Input::Held(Box::new(Holder { record: holder, lease, revision: 3 }))
}

fn looked(left: u64) -> Input {
    let seconds = Duration::from_secs;
    Input::Looked(Some(Validity { left: seconds(left), granted: seconds(10) }))
}

/// One whose key somebody has.
fn second(holder: Option<Record>, lease: i64) -> Table {
    let mut table = Table::new(record("own", 1), 1);
    table.connect();
    table.input(Input::Page { items: vec![], more: false, revision: 1 });
    table.input(Input::Watching);
    table.input(Input::Granted { lease: 5, ttl: TTL });
    table.actions();
    table.input(held(holder, lease));
    table
}

#[test]
fn the_same_node_takes_its_key_at_once() {
    let directory = |run| Record { directory: Some(Uuid([9; 16])), ..record("own", run) };
    let mut table = Table::new(directory(1), 1);
    table.connect();
    table.input(Input::Granted { lease: 5, ttl: TTL });
    table.actions();
    table.input(held(Some(directory(2)), 4));
    assert!(matches!(table.actions()[..], [Action::Register { lease: 5, guard: Guard::Unchanged(3), .. }]));
    // A registration whose answer was lost is there already.
    table.input(held(Some(directory(1)), 5));
    table.serve();
    assert!(table.session.own().directory.is_some() && table.session.tenure.is_registered());
}

#[test]
fn somebody_whose_lease_is_renewed_lives() {
    let mut table = second(Some(record("own", 2)), 4);
    assert_eq!(table.actions(), [Action::Look { lease: 4 }]);
    for left in [9, 8, 8, 7] {
        table.input(looked(left));
        assert_eq!(table.codes(), []);
        table.wait();
        assert_eq!(table.actions(), [Action::Look { lease: 4 }]);
    }
    table.input(looked(9));
    assert_eq!((table.codes(), table.actions()), (vec![Code::DiscoveryIdTaken], vec![Action::Close]));
    assert!(table.session.has_ended());
}

#[test]
fn somebody_who_outlives_their_lease_lives() {
    let mut table = second(Some(record("own", 2)), 4);
    let since = table.now;
    while !table.session.has_ended() {
        table.input(looked(1));
        table.actions();
        if !table.session.has_ended() {
            table.wait();
            table.session.handle(table.now, Input::Progress);
        }
        assert!(table.now < since + Duration::from_secs(13));
    }
    assert!(table.now > since + Duration::from_secs(10));
    assert_eq!(table.codes(), [Code::DiscoveryIdTaken]);
}

#[test]
fn somebody_whose_lease_ends_is_followed() {
    let mut table = second(Some(record("own", 2)), 4);
    table.actions();
    table.input(looked(1));
    table.wait();
    table.actions();
    table.input(Input::Looked(None));
    assert!(matches!(table.actions()[..], [Action::Register { guard: Guard::Absent, .. }]));
    // The own lease may have ended meanwhile.
    table.input(Input::LeaseGone);
    assert_eq!(table.actions(), [Action::Grant { ttl: TTL }]);
    table.input(Input::Granted { lease: 6, ttl: TTL });
    table.input(Input::Registered);
    assert!(table.events().contains(&Event::Registered));
}

#[test]
fn a_key_that_nothing_ends_is_refused_at_once() {
    let mut table = second(None, 0);
    assert_eq!(table.codes(), [Code::DiscoveryIdTaken]);
}

#[test]
fn who_was_registered_goes_on_when_the_id_is_taken() {
    let mut table = Table::healthy(1);
    table.input(changes(vec![put("own", 2)]));
    assert!(matches!(table.actions()[..], [Action::Register { guard: Guard::Absent, .. }]));
    table.input(held(Some(record("own", 2)), 4));
    table.actions();
    table.input(looked(5));
    table.now += Duration::from_millis(500);
    table.session.handle_timeout(table.now);
    table.actions();
    table.input(looked(9));
    assert_eq!(table.codes(), [Code::DiscoveryIdTaken]);
    assert!(!table.session.has_ended());
    // When the other one has gone, it is registered again.
    table.now += Duration::from_millis(500);
    table.session.handle_timeout(table.now);
    table.actions();
    table.input(Input::Looked(None));
    table.serve();
    assert_eq!(table.events(), [Event::Registered, Event::Recovered]);
}
