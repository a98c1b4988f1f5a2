use proptest::prelude::*;

use super::*;

const PRICE: Cents = Cents(2_380);
const RECEIPT: Receipt = Receipt { number: 7, amount: PRICE };
const SECOND: Duration = Duration::from_secs(1);

fn refused(reason: Reason) -> Result<Done, Fault> {
    Err(Fault::Refused { reason, detail: "no".to_owned() })
}

fn unavailable() -> Result<Done, Fault> {
    Err(Fault::Unavailable("busy".to_owned()))
}

fn lost() -> Result<Done, Fault> {
    Err(Fault::Lost("no answer".to_owned()))
}

fn done(action: Action) -> Result<Done, Fault> {
    Ok(match action {
        Action::Reserve => Done::Reserved(PRICE),
        Action::Charge(_) => Done::Charged(RECEIPT),
        _ => Done::Acknowledged,
    })
}

/// Runs an order to its end. `answer` says what comes back for each step; what it does not say succeeds.
fn run(answer: impl Fn(&Step) -> Option<Result<Done, Fault>>) -> (Vec<(&'static str, u32)>, Outcome) {
    let now = Instant::now();
    let mut saga = Saga::new(now, now + 4 * SECOND);
    let mut steps = Vec::new();
    while let Some(step) = saga.poll_output() {
        assert_eq!(saga.outcome(), None, "no outcome while a step is under way");
        steps.push((short(step.action), step.attempt));
        saga.handle_answer(now, answer(&step).unwrap_or_else(|| done(step.action)));
        assert!(steps.len() < 50, "it does not end: {steps:?}");
    }
    (steps, saga.outcome().unwrap())
}

fn short(action: Action) -> &'static str {
    match action {
        Action::Reserve => "reserve",
        Action::Charge(_) => "charge",
        Action::Confirm => "confirm",
        Action::Void => "void",
        Action::Release => "release",
    }
}

fn rejection(outcome: Outcome) -> (Reason, Compensation) {
    match outcome {
        Outcome::Rejected(rejected) => (rejected.reason, rejected.compensation),
        Outcome::Placed(placed) => panic!("placed: {placed:?}"),
    }
}

#[test]
fn all_goes_well() {
    let (steps, outcome) = run(|_| None);
    assert_eq!(steps, [("reserve", 1), ("charge", 1), ("confirm", 1)]);
    assert_eq!(outcome, Outcome::Placed(Placed { total: PRICE, receipt: 7, charge_attempts: 1 }));
}

#[test]
fn what_is_unavailable_is_tried_again_and_then_given_up() {
    let (steps, outcome) =
        run(|step| (step.action == Action::Charge(PRICE) && step.attempt == 1).then(unavailable));
    assert_eq!(steps, [("reserve", 1), ("charge", 1), ("charge", 2), ("confirm", 1)]);
    assert!(matches!(outcome, Outcome::Placed(Placed { charge_attempts: 2, .. })));

    let (steps, outcome) = run(|step| (step.action == Action::Charge(PRICE)).then(unavailable));
    assert_eq!(steps, [("reserve", 1), ("charge", 1), ("charge", 2), ("charge", 3), ("release", 1)]);
    assert_eq!(rejection(outcome), (Reason::PaymentUnavailable, Compensation::Done));

    let (steps, outcome) = run(|step| (step.action == Action::Reserve).then(unavailable));
    assert_eq!(steps, [("reserve", 1), ("reserve", 2), ("reserve", 3)]);
    assert_eq!(rejection(outcome), (Reason::InventoryUnavailable, Compensation::NotNeeded));
}

#[test]
fn what_is_refused_undoes_what_was_done() {
    let (steps, outcome) = run(|step| (step.action == Action::Reserve).then(|| refused(Reason::OutOfStock)));
    assert_eq!(steps, [("reserve", 1)]);
    assert_eq!(rejection(outcome), (Reason::OutOfStock, Compensation::NotNeeded));

    let (steps, outcome) =
        run(|step| (step.action == Action::Charge(PRICE)).then(|| refused(Reason::CardDeclined)));
    assert_eq!(steps, [("reserve", 1), ("charge", 1), ("release", 1)]);
    assert_eq!(rejection(outcome), (Reason::CardDeclined, Compensation::Done));

    let (steps, outcome) =
        run(|step| (step.action == Action::Confirm).then(|| refused(Reason::ReservationRefused)));
    assert_eq!(steps, [("reserve", 1), ("charge", 1), ("confirm", 1), ("void", 1), ("release", 1)]);
    assert_eq!(rejection(outcome), (Reason::ReservationRefused, Compensation::Done));
}

#[test]
fn what_is_lost_is_undone_as_if_it_had_been_done() {
    let (steps, outcome) = run(|step| (step.action == Action::Reserve).then(lost));
    assert_eq!(steps, [("reserve", 1), ("release", 1)]);
    assert_eq!(rejection(outcome), (Reason::InventoryUnavailable, Compensation::Done));

    let (steps, outcome) = run(|step| (step.action == Action::Charge(PRICE)).then(lost));
    assert_eq!(steps, [("reserve", 1), ("charge", 1), ("void", 1), ("release", 1)]);
    assert_eq!(rejection(outcome), (Reason::PaymentTimeout, Compensation::Done));
}

#[test]
fn a_step_back_that_does_not_succeed_is_tried_again_and_then_told() {
    let (steps, outcome) = run(|step| match step.action {
        Action::Charge(_) => Some(lost()),
        Action::Void if step.attempt < 3 => Some(lost()),
        _ => None,
    });
    assert_eq!(steps, [("reserve", 1), ("charge", 1), ("void", 1), ("void", 2), ("void", 3), ("release", 1)]);
    assert_eq!(rejection(outcome), (Reason::PaymentTimeout, Compensation::Done));

    let (steps, outcome) = run(|step| match step.action {
        Action::Charge(_) | Action::Void => Some(lost()),
        _ => None,
    });
    assert_eq!(steps.last(), Some(&("release", 1)), "the pieces go back all the same");
    assert_eq!(rejection(outcome), (Reason::PaymentTimeout, Compensation::Incomplete));
}

#[test]
fn steps_forward_share_the_time_left_and_keep_a_quarter_for_the_way_back() {
    let now = Instant::now();
    let mut saga = Saga::new(now, now + 4 * SECOND);
    assert_eq!(saga.poll_output().unwrap().timeout, 3 * SECOND);
    saga.handle_answer(now + SECOND, done(Action::Reserve));
    assert_eq!(saga.poll_output().unwrap().timeout, 2 * SECOND);
    saga.handle_answer(now + 2 * SECOND, unavailable());
    let again = saga.poll_output().unwrap();
    assert_eq!((again.attempt, again.wait, again.timeout), (2, BACKOFF, SECOND - BACKOFF));
    saga.handle_answer(now + 3 * SECOND, lost());
    assert_eq!(saga.poll_output().unwrap().timeout, UNDO_TIMEOUT, "steps back have their own time");
}

#[test]
fn no_step_forward_begins_when_time_is_over() {
    let now = Instant::now();
    let mut saga = Saga::new(now, now);
    assert_eq!(saga.poll_output(), None);
    assert_eq!(rejection(saga.outcome().unwrap()), (Reason::OutOfTime, Compensation::NotNeeded));

    let mut saga = Saga::new(now, now + 4 * SECOND);
    saga.poll_output();
    saga.handle_answer(now + 3 * SECOND, done(Action::Reserve));
    assert_eq!(saga.poll_output().unwrap().action, Action::Release);
    saga.handle_answer(now + 3 * SECOND, done(Action::Release));
    assert_eq!(rejection(saga.outcome().unwrap()), (Reason::OutOfTime, Compensation::Done));

    let mut saga = Saga::new(now, now + 4 * SECOND);
    saga.poll_output();
    saga.handle_answer(now, done(Action::Reserve));
    saga.poll_output();
    saga.handle_answer(now + 3 * SECOND, done(Action::Charge(PRICE)));
    assert_eq!(saga.poll_output().unwrap().action, Action::Void, "the money is given back");
}

#[test]
fn the_wait_between_attempts_doubles() {
    assert_eq!((1..=4).map(backoff).collect::<Vec<_>>(), [Duration::ZERO, BACKOFF, 2 * BACKOFF, 4 * BACKOFF]);
}

proptest! {
    /// Whatever the services answer: it ends, and nothing stays done for a rejected order unless it says so. A lost
    /// step may have been done or not; `truth` decides.
    #[test]
    fn a_rejected_order_leaves_nothing_behind(script in prop::collection::vec((0..4u8, any::<bool>()), 40)) {
        let now = Instant::now();
        let mut saga = Saga::new(now, now + 4 * SECOND);
        let (mut reserved, mut charged) = (false, false);
        let mut script = script.into_iter();
        while let Some(step) = saga.poll_output() {
            let (answer, truth) = script.next().unwrap_or((0, true));
            if answer == 0 || answer == 3 && truth {
                match step.action {
                    Action::Reserve => reserved = true,
                    Action::Charge(_) => charged = true,
                    Action::Confirm => {}
                    Action::Void => charged = false,
                    Action::Release => reserved = false,
                }
            }
            saga.handle_answer(now, match answer {
                0 => done(step.action),
                1 => unavailable(),
                2 => refused(Reason::PaymentRefused),
                _ => lost(),
            });
        }
        match saga.outcome().unwrap() {
            Outcome::Placed(_) => prop_assert!(reserved && charged),
            Outcome::Rejected(rejected) => prop_assert!(
                !reserved && !charged || rejected.compensation == Compensation::Incomplete, "{:?}", rejected
            ),
        }
    }
}
