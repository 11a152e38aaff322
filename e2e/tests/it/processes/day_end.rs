//! The end of the day: every remittance is told of its cash, late or not.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    calendar::day_start,
    ids::OrderId,
    money::Money,
    order::{Order, OrderStatus},
    remittance::{
        Remittance, RemittanceCommand, RemittanceId, RemittanceStatus, ReportedItemInput,
    },
};
use e2e::eventually;

use super::support::{World, collecting, partner, store};

/// The business day of [`super::support::NOON`].
pub(super) const DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();

pub(super) fn remittance(partner_id: &str, store_id: &str, day: NaiveDate) -> RemittanceId {
    RemittanceId::new(partner(partner_id), store(store_id), day)
}

impl World {
    /// An order whose cash a partner's rider collected; now, or at a time.
    pub(super) async fn collected(
        &self,
        store: &str,
        partner: &str,
        price: &str,
        at: Option<&str>,
    ) -> OrderId {
        let id = self.place_for(store, price).await;
        self.reaches(id, OrderStatus::Released).await;
        self.walk(id, OrderStatus::Delivered).await;
        let due = self.order(id).await.totals.cash_due;
        self.tell::<Order>(id, collecting(partner, &due.to_string(), at))
            .await;
        id
    }

    /// The Bangkok midnight that ends a day.
    pub(super) fn end_day(&self, day: NaiveDate) {
        self.clock.set(day_start(day.succ_opt().unwrap()));
    }

    pub(super) async fn remittance(&self, id: &RemittanceId) -> Option<Remittance> {
        let loaded = self.people.load::<Remittance>(id).await.unwrap();
        loaded.map(|r| (*r.state).clone())
    }

    /// The orders that a remittance expects, with their amounts.
    pub(super) async fn expected(&self, id: &RemittanceId) -> BTreeMap<OrderId, Money> {
        let remittance = self.remittance(id).await.unwrap_or_default();
        let items = remittance.expected.iter();
        items.map(|item| (item.order_id, item.amount)).collect()
    }

    /// Waits until a remittance expects exactly these orders.
    pub(super) async fn expects(&self, id: &RemittanceId, orders: &[OrderId]) {
        let mut wanted = orders.to_vec();
        wanted.sort();
        eventually(&format!("{id} expects {} orders", orders.len()), || async {
            let found: Vec<OrderId> = self.expected(id).await.into_keys().collect();
            (found == wanted).then_some(())
        })
        .await;
    }

    pub(super) async fn is_at(&self, id: &RemittanceId, status: RemittanceStatus) {
        eventually(&format!("{id} is {status:?}"), || async {
            let remittance = self.remittance(id).await?;
            (remittance.status == status).then_some(())
        })
        .await;
    }

    /// The partner's report: these orders, with what it says of each.
    pub(super) async fn report(&self, id: &RemittanceId, name: &str, items: &[(OrderId, &str)]) {
        let mut reported = Vec::new();
        for (order_id, amount) in items {
            reported.push(ReportedItemInput {
                reference: self.order(*order_id).await.number.to_string(),
                amount: amount.parse().unwrap(),
            });
        }
        let command = RemittanceCommand::Report {
            report_id: name.into(),
            items: reported,
            total: None,
        };
        self.tell::<Remittance>(id.clone(), command).await;
    }

    /// How many events a remittance has, by type.
    pub(super) async fn remittance_life(&self, id: &RemittanceId) -> Vec<String> {
        let stream = commands::load::stream_id::<Remittance>(id);
        let records = self.log().stream(&stream, 0, 100).await.unwrap();
        records
            .iter()
            .map(|r| r.event_type.trim_start_matches("remittance.").to_owned())
            .collect()
    }

    pub(super) async fn rows(&self, table: &str) -> i64 {
        sqlx::query_scalar(&format!("select count(*) from {table}"))
            .fetch_one(self.log().pool())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn each_partner_and_store_is_told_at_midnight() {
    let world = World::open().await;
    let processes = world.program().await;
    let mut cells: BTreeMap<(&str, &str), Vec<OrderId>> = BTreeMap::new();
    for store in ["CFR001", "CFR002", "CFR003"] {
        for partner in ["GRAB", "PMP"] {
            for price in ["62.00", "31.50"] {
                let id = world.collected(store, partner, price, None).await;
                cells.entry((partner, store)).or_default().push(id);
            }
        }
    }
    let midnight = day_start(DAY.succ_opt().unwrap());
    world.clock.set(midnight - chrono::TimeDelta::seconds(1));
    world.quiet().await;
    assert_eq!(
        world.remittance(&remittance("GRAB", "CFR001", DAY)).await,
        None
    );
    world.end_day(DAY);
    for ((partner, store), orders) in &cells {
        let id = remittance(partner, store, DAY);
        world.expects(&id, orders).await;
        for (order, amount) in world.expected(&id).await {
            assert_eq!(amount, world.order(order).await.totals.cash_due);
        }
        let items = world.remittance(&id).await.unwrap().expected;
        assert!(
            items
                .iter()
                .all(|i| i.rider_id.as_deref() == Some("RIDER-7"))
        );
        assert!(items.iter().all(|i| i.reference.starts_with("QC-")));
    }
    world.quiet().await;
    for (partner, store) in cells.keys() {
        let id = remittance(partner, store, DAY);
        assert_eq!(world.remittance_life(&id).await, ["expected"], "told once");
    }
    processes.stop().await;
}

#[tokio::test]
async fn days_missed_in_a_downtime_are_each_ended_once() {
    let world = World::open().await;
    let processes = world.program().await;
    let [first, second, third] = [DAY, DAY.succ_opt().unwrap(), DAY + chrono::Days::new(2)];
    let mut orders = Vec::new();
    for day in [first, second, third] {
        let noon = day_start(day) + chrono::TimeDelta::hours(12);
        world.clock.set(noon);
        // The last days' cash is collected while nothing runs.
        orders.push(world.place("CFR001").await);
        world
            .reaches(orders[orders.len() - 1], OrderStatus::Released)
            .await;
    }
    processes.stop().await;
    for (id, day) in orders.iter().zip([first, second, third]) {
        world.walk(*id, OrderStatus::Delivered).await;
        let noon = (day_start(day) + chrono::TimeDelta::hours(12)).to_rfc3339();
        world
            .tell::<Order>(*id, collecting("GRAB", "169.00", Some(&noon)))
            .await;
    }
    world.clock.set("2026-12-01T03:00:00Z".parse().unwrap());
    let programs = [world.program().await, world.program().await];
    for (id, day) in orders.iter().zip([first, second, third]) {
        let remittance = remittance("GRAB", "CFR001", day);
        world.expects(&remittance, &[*id]).await;
    }
    world.quiet().await;
    for day in [first, second, third] {
        let id = remittance("GRAB", "CFR001", day);
        assert_eq!(world.remittance_life(&id).await, ["expected"]);
    }
    for processes in programs {
        processes.stop().await;
    }
}

#[tokio::test]
async fn cash_heard_of_late_joins_its_day_while_that_is_open() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("GRAB", "CFR001", DAY);
    let early = world.collected("CFR001", "GRAB", "62.00", None).await;
    let on_its_way = world.place("CFR001").await;
    world.reaches(on_its_way, OrderStatus::Released).await;
    world.walk(on_its_way, OrderStatus::Delivered).await;
    world.end_day(DAY);
    world.expects(&id, &[early]).await;
    let before_midnight = "2026-11-24T16:59:00Z";
    let late = collecting("GRAB", "169.00", Some(before_midnight));
    world.tell::<Order>(on_its_way, late).await;
    world.expects(&id, &[early, on_its_way]).await;
    assert_eq!(world.remittance_life(&id).await, ["expected", "expected"]);
    processes.stop().await;
}

#[tokio::test]
async fn cash_heard_of_after_the_closing_joins_the_current_day() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("GRAB", "CFR001", DAY);
    let early = world.collected("CFR001", "GRAB", "62.00", None).await;
    let late = world.place("CFR001").await;
    world.reaches(late, OrderStatus::Released).await;
    world.walk(late, OrderStatus::Delivered).await;
    world.end_day(DAY);
    world.report(&id, "R-1", &[(early, "169.00")]).await;
    world.is_at(&id, RemittanceStatus::Closed).await;
    let collected = collecting("GRAB", "169.00", Some("2026-11-24T16:00:00Z"));
    world.tell::<Order>(late, collected).await;
    world.quiet().await;
    let next_day = DAY.succ_opt().unwrap();
    let next = remittance("GRAB", "CFR001", next_day);
    assert_eq!(world.remittance(&next).await, None);
    world.end_day(next_day);
    world.expects(&next, &[late]).await;
    assert_eq!(world.expected(&id).await.len(), 1);
    world.report(&next, "R-2", &[(late, "169.00")]).await;
    world.is_at(&next, RemittanceStatus::Closed).await;
    eventually("settled", || async {
        let reconciled = world.order(late).await.collection.reconciled?;
        (reconciled.remittance_id == next).then_some(())
    })
    .await;
    world.quiet().await;
    assert_eq!(world.rows("process_cash_item").await, 0);
    processes.stop().await;
}

#[tokio::test]
async fn a_report_of_a_day_without_cash_is_compared_all_the_same() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("PMP", "CFR002", DAY);
    let order = world.place("CFR002").await;
    world.reaches(order, OrderStatus::Released).await;
    world.report(&id, "R-1", &[(order, "169.00")]).await;
    world.quiet().await;
    let reported = world.remittance(&id).await.unwrap();
    assert!(!reported.is_opened, "its day is not over");
    world.end_day(DAY);
    world.is_at(&id, RemittanceStatus::Differing).await;
    let compared = world.remittance(&id).await.unwrap();
    assert_eq!((compared.summary.extra, compared.summary.open), (1, 1));
    world.quiet().await;
    assert_eq!(world.rows("process_report").await, 0);
    processes.stop().await;
}
