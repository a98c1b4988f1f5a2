//! The three services on a node, each on a connection of its own.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::future::IntoFuture;
use std::time::Duration;

use mesh_client::serve::Server;
use mesh_client::test_util::TestNode;
use mesh_client::{Client, Error, Subscription};
use mesh_shop::inventory::{self, Inventory};
use mesh_shop::orders::{self, Compensation, Decided, KEY_REUSED, Orders, Outcome, Reason};
use mesh_shop::payment::{self, Payments};
use mesh_shop::{Bounds, Order, api, parse_stock};

const SOON: Duration = Duration::from_secs(20);
const STOCK: &str = "mug,1190,100\ntable,389000,10\nclock,24900,0";
const GOOD: &str = "4242424242424242";

/// A shop, and a customer's connection to its node.
struct Shop {
    customer: Client,
    events: Subscription,
    orders: Orders,
    _inventory: Server,
    payment: Option<Server>,
    _node: TestNode,
}

impl Shop {
    async fn open() -> Self {
        let node = TestNode::start().await.unwrap();
        let customer = node.client().await.unwrap();
        let events = customer.subscribe("orders.*").await.unwrap();
        let stock = Inventory::new(parse_stock(STOCK).unwrap(), SOON, Bounds::default());
        let inventory = inventory::serve(&node.client().await.unwrap(), stock).await.unwrap();
        let payment =
            payment::serve(&node.client().await.unwrap(), Payments::new(Bounds::default())).await.unwrap();
        let orders = Orders::serve(&node.client().await.unwrap(), Bounds::default()).await.unwrap();
        Self { customer, events, orders, _inventory: inventory, payment: Some(payment), _node: node }
    }

    async fn place(&self, id: &str, card: &str, sku: &str, quantity: u32) -> Result<Outcome, Error> {
        self.customer.call(api::ORDERS_PLACE, &order(id, card, sku, quantity)).timeout(SOON).await
    }

    async fn event(&mut self) -> (String, Decided) {
        let event = tokio::time::timeout(SOON, self.events.next()).await.unwrap().unwrap();
        let decided: Decided = event.decode().unwrap();
        assert_eq!(event.key(), Some(decided.order.as_str().as_bytes()));
        (event.subject().to_owned(), decided)
    }

    async fn inventory(&self) -> inventory::Stats {
        self.customer.call(api::INVENTORY_STATS, "").await.unwrap()
    }

    async fn payment(&self) -> payment::Stats {
        self.customer.call(api::PAYMENT_STATS, "").await.unwrap()
    }
}

fn order(id: &str, card: &str, sku: &str, quantity: u32) -> Order {
    serde_json::from_value(serde_json::json!({
        "id": id, "card": card, "lines": [{ "sku": sku, "quantity": quantity }],
    }))
    .unwrap()
}

fn rejection(outcome: Outcome) -> (Reason, Compensation) {
    match outcome {
        Outcome::Rejected(rejected) => (rejected.reason, rejected.compensation),
        Outcome::Placed(placed) => panic!("placed: {placed:?}"),
    }
}

#[tokio::test]
async fn an_order_is_placed_and_everybody_hears_of_it() {
    let mut shop = Shop::open().await;
    let outcome = shop.place("o-1", GOOD, "mug", 3).await.unwrap();
    let Outcome::Placed(placed) = &outcome else { panic!("{outcome:?}") };
    assert_eq!((placed.total.0, placed.charge_attempts), (3 * 1190, 1));
    let (subject, decided) = shop.event().await;
    assert_eq!((subject.as_str(), &decided.outcome), (api::ORDERS_PLACED, &outcome));
    let stats = shop.inventory().await;
    assert_eq!((stats.units_available, stats.units_held, stats.units_confirmed), (107, 0, 3));
    assert_eq!(shop.payment().await.captured_total.0, 3 * 1190);
}

#[tokio::test]
async fn an_order_in_json_is_answered_in_json() {
    let shop = Shop::open().await;
    let wish = r#"{"id":"o-1","card":"4242424242424242","lines":[{"sku":"mug","quantity":1}]}"#;
    let reply = shop.customer.request(api::ORDERS_PLACE, wish).timeout(SOON).await.unwrap();
    assert!(reply.text().unwrap().starts_with(r#"{"placed":{"total":1190,"#), "{}", reply.text().unwrap());
    let refused =
        shop.customer.request(api::ORDERS_PLACE, wish.replace("4242\"", "4241\"")).timeout(SOON).await;
    assert_eq!(refused.unwrap_err().code(), mesh_client::Code::RequestBodyInvalid);
}

#[tokio::test]
async fn what_was_done_for_a_rejected_order_is_undone() {
    let mut shop = Shop::open().await;
    for (id, card, sku, quantity, expected) in [
        ("declined", "4000000000000002", "mug", 2, (Reason::CardDeclined, Compensation::Done)),
        ("no-funds", "4000000000009995", "mug", 2, (Reason::CardDeclined, Compensation::Done)),
        ("dear", GOOD, "table", 2, (Reason::OverLimit, Compensation::Done)),
        ("gone", GOOD, "clock", 1, (Reason::OutOfStock, Compensation::NotNeeded)),
        ("unknown", GOOD, "sofa", 1, (Reason::UnknownSku, Compensation::NotNeeded)),
    ] {
        assert_eq!(rejection(shop.place(id, card, sku, quantity).await.unwrap()), expected, "{id}");
        assert_eq!(shop.event().await.0, api::ORDERS_REJECTED);
    }
    let stats = shop.inventory().await;
    assert_eq!((stats.units_available, stats.units_held, stats.units_confirmed), (110, 0, 0));
    assert_eq!((stats.reserved, stats.released), (3, 3));
    assert_eq!(shop.payment().await.captured, 0);
}

#[tokio::test]
async fn a_charge_that_fails_at_first_is_tried_again() {
    let shop = Shop::open().await;
    let outcome = shop.place("flaky", "4000000000000119", "mug", 1).await.unwrap();
    assert!(matches!(&outcome, Outcome::Placed(placed) if placed.charge_attempts == 2), "{outcome:?}");
    let stats = shop.payment().await;
    assert_eq!((stats.unavailable, stats.captured), (1, 1));
}

#[tokio::test]
async fn a_charge_that_is_answered_too_late_is_taken_back_in_time_for_the_caller() {
    let shop = Shop::open().await;
    let order = order("slow", "4000000000000341", "mug", 1);
    let placing = shop.customer.call(api::ORDERS_PLACE, &order).timeout(Duration::from_secs(2));
    assert_eq!(rejection(placing.await.unwrap()), (Reason::PaymentTimeout, Compensation::Done));
    let late = async {
        loop {
            let stats = shop.payment().await;
            if stats.late == 1 {
                return stats;
            }
        }
    };
    let stats = tokio::time::timeout(SOON, late).await.unwrap();
    assert_eq!(
        (stats.captured, stats.captured_total.0, stats.voided),
        (0, 0, 1),
        "the bank's late answer took nothing"
    );
    assert_eq!(shop.inventory().await.units_available, 110);
}

#[tokio::test]
async fn an_order_that_comes_again_does_nothing_twice() {
    let shop = Shop::open().await;
    let first = shop.place("o-1", GOOD, "mug", 1).await.unwrap();
    assert_eq!(shop.place("o-1", GOOD, "mug", 1).await.unwrap(), first);
    let reused = shop.place("o-1", GOOD, "mug", 2).await.unwrap_err();
    assert_eq!(reused.failure().map(|failure| failure.code()), Some(KEY_REUSED));
    let stats: orders::Stats = shop.customer.call(api::ORDERS_STATS, "").await.unwrap();
    assert_eq!((stats.placed, stats.repeated), (1, 1));
    assert_eq!((shop.payment().await.captured, shop.inventory().await.units_confirmed), (1, 1));
}

#[tokio::test]
async fn without_payment_nothing_is_sold() {
    let mut shop = Shop::open().await;
    shop.payment.take().unwrap().drain().await;
    let outcome = shop.place("o-1", GOOD, "mug", 1).await.unwrap();
    assert_eq!(rejection(outcome), (Reason::PaymentUnavailable, Compensation::Done));
    assert_eq!(shop.inventory().await.units_available, 110);
}

#[tokio::test]
async fn an_order_that_nobody_waits_for_any_more_comes_to_its_end() {
    let mut shop = Shop::open().await;
    let order = order("left", "4000000000000341", "mug", 1);
    let call = shop
        .customer
        .call::<Outcome>(api::ORDERS_PLACE, &order)
        .timeout(Duration::from_secs(2))
        .into_future();
    let waiting = async { while shop.inventory().await.units_held == 0 {} };
    tokio::select! {
        outcome = call => panic!("{outcome:?}"),
        () = waiting => {}
    }
    // The call was dropped with the branch: the caller is gone while the bank is asked.
    tokio::time::timeout(SOON, shop.orders.drain()).await.unwrap();
    assert_eq!(shop.event().await.0, api::ORDERS_REJECTED);
    assert_eq!(shop.inventory().await.units_available, 110);
}
