use std::time::Duration;

use super::*;

type Table = Requests<&'static str, u32>;

const SECOND: Duration = Duration::from_secs(1);

fn one(table: &mut Table, deadline: Instant, waiter: u32) -> u64 {
    table.open_one(deadline, Some(waiter)).unwrap()
}

fn poll(table: &mut Table, id: u64) -> Poll<Result<&'static str, Ended>> {
    table.poll_one(id, |waiter| *waiter = Some(99))
}

fn code(code: Code) -> u32 {
    u32::from(code.number())
}

#[test]
fn a_request_ends_in_exactly_one_way() {
    let start = Instant::now();
    let mut table = Table::new(9);
    type Input = fn(&mut Table, u64, Instant) -> Vec<u32>;
    let inputs: [(&str, Input, Result<&str, Ended>); 5] = [
        (
            "reply",
            |t, id, _| t.handle_reply(id, "r", false).and_then(|t| t.wake).into_iter().collect(),
            Ok("r"),
        ),
        ("end", |t, id, _| t.handle_end(id, Ended::Code(1042)).into_iter().collect(), Err(Ended::Code(1042))),
        (
            "lost",
            |t, _, _| {
                let mut wake = Vec::new();
                t.handle_all(&Ended::Lost, &mut wake);
                wake
            },
            Err(Ended::Lost),
        ),
        (
            "expired",
            |t, _, now| {
                let mut wake = Vec::new();
                t.handle_time(now, &mut wake);
                wake
            },
            Err(Ended::Expired),
        ),
        (
            "refused",
            |t, id, _| t.handle_end(id, Ended::Refused(3006, "full".into())).into_iter().collect(),
            Err(Ended::Refused(3006, "full".into())),
        ),
    ];
    for (first, input, outcome) in &inputs {
        for (second, later, _) in &inputs {
            let id = one(&mut table, start, 7);
            assert_eq!(input(&mut table, id, start), [7], "{first}");
            assert!(later(&mut table, id, start).is_empty(), "{second} after {first} wakes nobody");
            assert_eq!(poll(&mut table, id), Poll::Ready(outcome.clone()), "{first} then {second}");
            assert!(later(&mut table, id, start).is_empty(), "{second} after the outcome was taken");
            assert_eq!(table.len(), 0);
        }
    }
}

#[test]
fn an_id_is_not_given_twice() {
    let now = Instant::now();
    let mut table = Table::new(9);
    let first = one(&mut table, now, 1);
    assert!(table.close(first));
    let second = one(&mut table, now, 2);
    assert_ne!(first, second);
    assert_eq!(first as u32, second as u32, "the slot is the same");
    assert_eq!(table.handle_reply(first, "late", false), None);
    assert!(!table.close(first));
    assert_eq!(poll(&mut table, second), Poll::Pending);
}

#[test]
fn the_number_under_way_is_bounded() {
    let now = Instant::now();
    let mut table = Table::new(2);
    let first = one(&mut table, now, 1);
    one(&mut table, now, 2);
    assert_eq!(table.open_one(now, None), None);
    assert_eq!(table.open_many(now, 1), None);
    table.close(first);
    assert!(table.open_many(now, 1).is_some());
}

#[test]
fn a_single_requester_cancels_a_series() {
    let now = Instant::now();
    let mut table = Table::new(9);
    let id = one(&mut table, now, 1);
    assert_eq!(table.handle_reply(id, "first", true), Some(Taken { wake: Some(1), cancel: true }));
    assert_eq!(table.handle_reply(id, "second", true), None);
    assert_eq!(poll(&mut table, id), Poll::Ready(Ok("first")));
}

#[test]
fn a_series_comes_in_order_and_ends_once() {
    let now = Instant::now();
    let mut table = Table::new(9);
    let id = table.open_many(now, 2).unwrap();
    let next = |table: &mut Table| table.poll_many(id, |waiter| *waiter = Some(5));
    assert_eq!(next(&mut table), Poll::Pending);
    assert_eq!(table.handle_reply(id, "a", true), Some(Taken { wake: Some(5), cancel: false }));
    assert_eq!(table.handle_reply(id, "b", true), Some(Taken { wake: None, cancel: false }));
    assert_eq!(table.handle_reply(id, "c", false), Some(Taken { wake: None, cancel: false }));
    assert_eq!(table.handle_end(id, Ended::Code(3001)), None, "it is complete already");
    for reply in ["a", "b", "c"] {
        assert_eq!(next(&mut table), Poll::Ready(Ok(reply)));
    }
    assert_eq!(next(&mut table), Poll::Ready(Err(Ended::Complete)));
    assert_eq!(next(&mut table), Poll::Ready(Err(Ended::Complete)), "forgotten");
    assert_eq!(table.len(), 0);
}

#[test]
fn a_series_beyond_its_credit_ends_after_what_fits() {
    let now = Instant::now();
    let mut table = Table::new(9);
    let id = table.open_many(now, 2).unwrap();
    for reply in ["a", "b"] {
        assert!(!table.handle_reply(id, reply, true).unwrap().cancel);
    }
    assert!(table.handle_reply(id, "c", true).unwrap().cancel);
    let next = |table: &mut Table| table.poll_many(id, |_| {});
    assert_eq!(next(&mut table), Poll::Ready(Ok("a")));
    assert_eq!(next(&mut table), Poll::Ready(Ok("b")));
    assert_eq!(next(&mut table), Poll::Ready(Err(Ended::Code(code(Code::ReplyBeyondCredit)))));
}

#[test]
fn what_was_got_comes_before_the_end() {
    let now = Instant::now();
    let mut table = Table::new(9);
    let id = table.open_many(now, 9).unwrap();
    table.handle_reply(id, "a", true).unwrap();
    table.handle_all(&Ended::Lost, &mut Vec::new());
    assert_eq!(table.poll_many(id, |_| {}), Poll::Ready(Ok("a")));
    assert_eq!(table.poll_many(id, |_| {}), Poll::Ready(Err(Ended::Lost)));
}

#[test]
fn deadlines_are_looked_at_when_the_first_may_be_due() {
    let start = Instant::now();
    let mut table = Table::new(9);
    assert_eq!(table.poll_timeout(), None);
    let late = one(&mut table, start + 3 * SECOND, 3);
    let soon = one(&mut table, start + SECOND, 1);
    assert_eq!(table.poll_timeout(), Some(start + SECOND));

    let mut wake = Vec::new();
    table.handle_time(start + SECOND - Duration::from_nanos(1), &mut wake);
    assert!(wake.is_empty());
    table.handle_time(start + SECOND, &mut wake);
    assert_eq!(wake, [1]);
    assert_eq!(table.poll_timeout(), Some(start + 3 * SECOND));
    assert_eq!(poll(&mut table, soon), Poll::Ready(Err(Ended::Expired)));

    table.handle_reply(late, "r", false).unwrap();
    table.handle_time(start + 3 * SECOND, &mut wake);
    assert_eq!(wake, [1], "answered in time");
    assert_eq!(table.poll_timeout(), None);
}

#[test]
fn waiting_again_replaces_whom_to_wake() {
    let now = Instant::now();
    let mut table = Table::new(9);
    let id = one(&mut table, now, 1);
    assert_eq!(poll(&mut table, id), Poll::Pending);
    assert!(!table.is_idle());
    assert_eq!(table.handle_reply(id, "r", false).unwrap().wake, Some(99));
    assert!(table.is_idle(), "answered, though not looked at");
}
