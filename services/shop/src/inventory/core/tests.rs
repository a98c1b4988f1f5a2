use proptest::prelude::*;

use super::*;
use crate::order::tests::{id, lines};
use crate::stock::parse;

const HOLD: Duration = Duration::from_secs(30);
const STOCK: &str = "mug,1190,10\npan,7900,2\ngone,100,0";
const UNITS: u64 = 12;

fn inventory() -> Inventory {
    Inventory::new(parse(STOCK).unwrap(), HOLD, Bounds { open: 3, settled: 100 })
}

fn units(inventory: &Inventory) -> (u64, u64, u64) {
    let stats = inventory.stats();
    (stats.units_available, stats.units_held, stats.units_confirmed)
}

#[test]
fn an_order_is_reserved_priced_and_confirmed() {
    let (mut inventory, now) = (inventory(), Instant::now());
    let wanted = lines(&[("mug", 2), ("pan", 1)]);
    assert_eq!(inventory.reserve(now, &id("o"), &wanted), Ok(Cents(2 * 1190 + 7900)));
    assert_eq!(units(&inventory), (9, 3, 0));
    assert_eq!(inventory.confirm(now, &id("o")), Ok(()));
    assert_eq!(units(&inventory), (9, 0, 3));
}

#[test]
fn repeated_commands_do_nothing_twice_and_answer_as_before() {
    let (mut inventory, now) = (inventory(), Instant::now());
    let wanted = lines(&[("mug", 2)]);
    for _ in 0..3 {
        assert_eq!(inventory.reserve(now, &id("o"), &wanted), Ok(Cents(2380)));
    }
    assert_eq!(units(&inventory), (10, 2, 0));
    assert_eq!((inventory.confirm(now, &id("o")), inventory.confirm(now, &id("o"))), (Ok(()), Ok(())));
    assert_eq!(inventory.reserve(now, &id("o"), &wanted), Ok(Cents(2380)), "confirmed already");
    assert_eq!((inventory.release(now, &id("o")), inventory.release(now, &id("o"))), (2, 0));
    assert_eq!(units(&inventory), (UNITS, 0, 0));
    assert_eq!(inventory.stats().repeated, 5);
}

#[test]
fn another_order_under_the_same_number_is_refused() {
    let (mut inventory, now) = (inventory(), Instant::now());
    inventory.reserve(now, &id("o"), &lines(&[("mug", 2)])).unwrap();
    assert_eq!(inventory.reserve(now, &id("o"), &lines(&[("mug", 3)])), Err(Error::KeyReused));
    assert_eq!(units(&inventory), (10, 2, 0));
}

#[test]
fn what_lacks_is_named_and_nothing_is_taken() {
    let (mut inventory, now) = (inventory(), Instant::now());
    let sku = |text: &str| Sku::try_from(text.to_owned()).unwrap();
    for (wanted, expected) in [
        (lines(&[("mug", 1), ("hat", 1)]), Error::UnknownSku { sku: sku("hat") }),
        (lines(&[("mug", 1), ("gone", 1)]), Error::OutOfStock { sku: sku("gone"), wanted: 1, available: 0 }),
        (lines(&[("mug", 11)]), Error::OutOfStock { sku: sku("mug"), wanted: 11, available: 10 }),
        (lines(&[("mug", 6), ("mug", 5)]), Error::OutOfStock { sku: sku("mug"), wanted: 11, available: 10 }),
    ] {
        assert_eq!(inventory.reserve(now, &id("o"), &wanted), Err(expected));
        assert_eq!(units(&inventory), (UNITS, 0, 0));
    }
    assert!(inventory.reserve(now, &id("o"), &lines(&[("mug", 6), ("mug", 4)])).is_ok(), "to the last piece");
}

#[test]
fn a_hold_ends_when_its_time_is_over_and_not_before() {
    let (mut inventory, now) = (inventory(), Instant::now());
    inventory.reserve(now, &id("o"), &lines(&[("mug", 2)])).unwrap();
    assert_eq!(inventory.poll_timeout(), Some(now + HOLD));
    inventory.handle_timeout(now + HOLD - Duration::from_nanos(1));
    assert_eq!(units(&inventory), (10, 2, 0));
    inventory.handle_timeout(now + HOLD);
    assert_eq!(units(&inventory), (UNITS, 0, 0));
    assert_eq!(inventory.confirm(now + HOLD, &id("o")), Err(Error::Closed));
    assert_eq!(inventory.release(now + HOLD, &id("o")), 0);
    assert_eq!(inventory.poll_timeout(), None);
}

#[test]
fn a_release_that_overtook_its_reserve_wins() {
    let (mut inventory, now) = (inventory(), Instant::now());
    assert_eq!(inventory.release(now, &id("o")), 0);
    assert_eq!(inventory.reserve(now, &id("o"), &lines(&[("mug", 2)])), Err(Error::Closed));
    assert_eq!(units(&inventory), (UNITS, 0, 0));
}

#[test]
fn nothing_is_confirmed_that_was_not_held() {
    assert_eq!(inventory().confirm(Instant::now(), &id("o")), Err(Error::NotHeld));
}

#[test]
fn holds_are_bounded() {
    let (mut inventory, now) = (inventory(), Instant::now());
    for order in ["a", "b", "c"] {
        assert!(inventory.reserve(now, &id(order), &lines(&[("mug", 1)])).is_ok());
    }
    assert_eq!(inventory.reserve(now, &id("d"), &lines(&[("mug", 1)])), Err(Error::Full));
    assert_eq!(units(&inventory), (9, 3, 0));
    inventory.confirm(now, &id("a")).unwrap();
    assert!(inventory.reserve(now, &id("d"), &lines(&[("mug", 1)])).is_ok());
}

proptest! {
    /// Whatever is asked in whatever order, no piece is lost and none is made.
    #[test]
    fn pieces_add_up(commands in prop::collection::vec((0..4u8, 0..6u8, 1..8u32, 0..20u64), 0..120)) {
        let mut inventory = inventory();
        let mut now = Instant::now();
        for (command, order, quantity, seconds) in commands {
            now += Duration::from_secs(seconds);
            let order = id(&format!("o{order}"));
            match command {
                0 => drop(inventory.reserve(now, &order, &lines(&[("mug", quantity), ("pan", 1)]))),
                1 => drop(inventory.confirm(now, &order)),
                2 => drop(inventory.release(now, &order)),
                _ => inventory.handle_timeout(now),
            }
            let (available, held, confirmed) = units(&inventory);
            prop_assert_eq!(available + held + confirmed, UNITS);
            let in_stock: u64 = inventory.stock.values().map(|article| article.units).sum();
            prop_assert_eq!(in_stock, available);
            prop_assert_eq!(inventory.stats().held as usize, inventory.ends.len());
        }
        inventory.handle_timeout(now + HOLD);
        prop_assert_eq!(units(&inventory).1, 0);
    }
}
