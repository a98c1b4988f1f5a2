//! What follows from which failure.

use super::*;

#[test]
fn each_endpoint_is_tried_and_waits_grow_up_to_their_bound() {
    let mut table = Table::new(record("own", 1), 3);
    let mut waits = Vec::new();
    for attempt in 0..60 {
        assert!(matches!(table.actions()[..], [.., Action::Connect { endpoint }] if endpoint == attempt % 3));
        table.fail(Code::DiscoveryUnreachable);
        waits.push(table.wait());
    }
    assert!(waits[..3].iter().all(|wait| *wait <= Duration::from_millis(100)), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(5)), "{waits:?}");
    assert!(waits[30..].iter().all(|wait| *wait >= Duration::from_millis(2500)), "{waits:?}");
    assert_eq!(table.codes(), [Code::DiscoveryUnreachable], "it is told once");
    // After it was of use, waits begin anew.
    table.serve();
    assert!(table.session.is_healthy());
    table.fail(Code::DiscoveryUnreachable);
    assert!(table.wait() <= Duration::from_millis(100));
}

#[test]
fn every_failure_ends_with_reading_everything_anew() {
    for code in [
        Code::DiscoveryUnreachable,
        Code::DiscoverySilent,
        Code::DiscoveryNoLeader,
        Code::DiscoveryRefused,
        Code::DiscoveryDenied,
        Code::DiscoveryTlsFailed,
    ] {
        let mut table = Table::healthy(1);
        table.input(changes(vec![put("a", 1)]));
        table.events();
        table.fail(code);
        assert_eq!(table.actions(), [Action::Close]);
        assert_eq!(table.codes(), [code]);
        table.wait();
        table.connect();
        let actions = table.actions();
        let read = Action::Read { after: None, revision: None };
        assert!(actions.contains(&read) && actions.contains(&Action::KeepAlive { lease: 5 }), "{actions:?}");
        table.input(Input::Alive);
        table.input(Input::Page {
            items: vec![Item { key: "a".into(), value: record("a", 1).encode().unwrap() }],
            more: false,
            revision: 30,
        });
        assert_eq!(table.events(), [], "not before it is registered and watches");
        table.serve();
        assert_eq!(table.events(), [Event::Recovered], "{code}");
    }
}

#[test]
fn a_lease_that_ended_meanwhile_is_not_asked_for_again() {
    let mut table = Table::healthy(1);
    table.fail(Code::DiscoveryUnreachable);
    table.now += TTL;
    table.session.handle_timeout(table.now);
    table.connect();
    assert!(table.actions().contains(&Action::Grant { ttl: TTL }));
}

#[test]
fn a_lease_that_is_gone_is_told_and_made_again() {
    let mut table = Table::healthy(1);
    table.wait();
    table.actions();
    table.input(Input::LeaseGone);
    assert_eq!(table.actions(), [Action::Grant { ttl: TTL }]);
    assert_eq!(table.events(), [Event::LeaseLost]);
    table.input(Input::Granted { lease: 6, ttl: TTL });
    assert!(matches!(table.actions()[..], [Action::Register { lease: 6, guard: Guard::Absent, .. }]));
    table.input(Input::Registered);
    assert_eq!(table.events(), [Event::Registered]);
}

#[test]
fn who_is_denied_everywhere_at_the_start_is_refused() {
    let mut table = Table::new(record("own", 1), 2);
    table.fail(Code::DiscoveryDenied);
    assert_eq!(table.codes(), [Code::DiscoveryDenied]);
    table.wait();
    table.fail(Code::DiscoveryUnreachable);
    for attempt in 0..2 * HOPELESS_ROUNDS {
        assert!(!table.session.has_ended(), "{attempt}: one of them may still let it in");
        table.wait();
        table.fail(if attempt % 2 == 0 { Code::DiscoveryTlsFailed } else { Code::DiscoveryDenied });
    }
    assert!(table.session.has_ended());
    assert_eq!(table.codes().last(), Some(&Code::DiscoveryDenied));
    assert_eq!(table.events(), []);
}

#[test]
fn who_is_denied_later_asks_seldom_and_never_stops() {
    let mut table = Table::healthy(1);
    for _ in 0..20 {
        table.fail(Code::DiscoveryDenied);
        assert!(table.wait() >= Duration::from_millis(2500));
        assert!(!table.session.has_ended());
    }
    assert_eq!(table.codes(), [Code::DiscoveryDenied]);
}

#[test]
fn asking_for_the_cluster_fails_with_what_is_the_matter() {
    let mut table = Table::healthy(1);
    table.session.found(table.now, Uuid([7; 16]), 1);
    table.fail(Code::DiscoveryNoLeader);
    let failed = |table: &mut Table| table.session.poll_founded().unwrap().unwrap_err().code();
    assert_eq!(failed(&mut table), Code::DiscoveryNoLeader);
    table.session.found(table.now, Uuid([7; 16]), 1);
    assert_eq!(failed(&mut table), Code::DiscoveryNoLeader);
}
