//! What orders and events count for, without a database.

use std::collections::BTreeMap;

use domain::{
    money::{Money, Quantity},
    order::{
        Order, OrderEvent, OrderStatus, PaymentStatus,
        event::{Figures, LineFigures, ReturnCause, ReturnRequested, ReturnedLine, Step, Totals},
    },
};
use proptest::prelude::*;
use store::Recorded;

use super::{
    Cells, Life, Sums, Table,
    bundle_sales::{Baskets, BundleSales},
    each_table,
    partner::Partner,
    regional::Flow,
    step_timings::{LONGEST_MICROS, StepTime},
};
use crate::{
    decode::{Kind, OrderRecord, Record, decode},
    order_view::status_of,
    testing::{self, ORDER, at, life, recorded},
};

const WITH_BUNDLE: &str =
    include_str!("../../../domain/src/order/fixtures/order.placed.v1.bundles.json");

/// What remains of sums: cells that count something, as text.
fn text(sums: Sums) -> BTreeMap<String, String> {
    fn add<T: Table>(cells: Cells<T>, to: &mut BTreeMap<String, String>) {
        for (key, measures) in cells.0 {
            if measures != T::Measures::default() {
                to.insert(format!("{} {key:?}", T::NAME), format!("{measures:?}"));
            }
        }
    }
    let mut all = BTreeMap::new();
    each_table!(sums, cells => add(cells, &mut all));
    all
}

/// Cuts a life into pages: the sums of the pages' changes, and the order at the end.
fn paged(records: &[OrderRecord<'_>], cuts: &[bool]) -> (Sums, Life) {
    let mut sums = Sums::default();
    let mut before: Option<Life> = None;
    let mut order = Life::placed(&records[0]).unwrap();
    for (at, record) in records.iter().enumerate() {
        let happened = order.advance(record).unwrap();
        sums.event(&order, &happened);
        if cuts.get(at).copied().unwrap_or_default() || at + 1 == records.len() {
            sums.change(before.as_ref(), &order);
            let stored = serde_json::to_string(&order).unwrap();
            order = serde_json::from_str(&stored).unwrap();
            before = Some(order.clone());
        }
    }
    (sums, order)
}

fn all(events: &[Recorded]) -> Sums {
    let (records, poison) = decode(events, Kind::ALL);
    assert_eq!(poison, None);
    let records: Vec<OrderRecord<'_>> = records.iter().filter_map(Record::of::<Order>).collect();
    paged(&records, &[]).0
}

/// A life that begins with the domain's order of a bundle and two single lines.
fn with_bundle(later: &[OrderEvent]) -> Sums {
    let first: OrderEvent = serde_json::from_str(WITH_BUNDLE).unwrap();
    let events: Vec<Recorded> = (1..)
        .zip(std::iter::once(&first).chain(later))
        .map(|(sequence, event)| recorded::<Order>(&ORDER, sequence, event))
        .collect();
    all(&events)
}

/// The one row of a table that counts something.
fn only<T: Table>(cells: Cells<T>) -> (T::Key, T::Measures) {
    let rows: Vec<_> = cells
        .0
        .into_iter()
        .filter(|(_, m)| *m != T::Measures::default())
        .collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.into_iter().next().unwrap()
}

proptest! {
    /// However an order lives and wherever the pages are cut: the sums of the changes are what the order counts for at
    /// the end, and what is kept of it agrees with its own fold.
    #[test]
    fn changes_add_up_wherever_pages_are_cut(
        later in prop::collection::vec((testing::later(), any::<bool>()), 0..25),
    ) {
        let (events, mut cuts): (Vec<OrderEvent>, Vec<bool>) = later.into_iter().unzip();
        cuts.insert(0, true);
        let recorded = life(&events);
        let (records, _) = decode(&recorded, Kind::ALL);
        let records: Vec<OrderRecord<'_>> = records.iter().filter_map(Record::of::<Order>).collect();
        let (changes, order) = paged(&records, &cuts);
        let (whole, same) = paged(&records, &[]);
        prop_assert_eq!(&order, &same);
        prop_assert_eq!(text(changes), text(whole));
        let mut own = Order::default();
        for record in &records {
            own.apply(record.event);
        }
        prop_assert_eq!(status_of(order.standing.cell.status).unwrap(), own.status);
        prop_assert_eq!(order.cash_due(), own.cod_due());
        let value = if own.status == OrderStatus::Cancelled { Money::ZERO } else { own.totals.order_total };
        prop_assert_eq!(order.value(), value);
        prop_assert_eq!(order.version, i64::try_from(records.len()).unwrap());
        for (line, own) in order.lines.iter().zip(&own.lines) {
            prop_assert_eq!(order.left(line), own.is_open().then_some(own.line.quantity));
        }
    }
}

fn step(to: OrderStatus, skipped: &[OrderStatus], minute: i64) -> Step {
    Step {
        from: OrderStatus::Open,
        to,
        skipped: skipped.to_vec(),
        occurred_at: Some(at(minute * 60)),
        recorded_at: None,
    }
}

fn delivered() -> Vec<OrderEvent> {
    use OrderStatus as S;
    vec![
        OrderEvent::Released { at: Some(at(120)) },
        OrderEvent::ShipmentRecorded {
            step: step(S::Fulfilled, &[S::InProcess, S::Picked, S::Packed], 10),
            tracking_id: None,
            carrier: Some("Grab ".into()),
            shipment_id: None,
        },
        OrderEvent::DeliveryRecorded {
            step: step(
                S::Delivered,
                &[S::Shipped, S::InTransit, S::OutForDelivery],
                40,
            ),
        },
    ]
}

#[test]
fn a_cancelled_order_was_placed_and_is_worth_nothing() {
    let cancelled = OrderEvent::Cancelled {
        from: OrderStatus::Open,
        reason: "changed their mind".into(),
        payment_status: PaymentStatus::NotApplicable,
    };
    let sums = with_bundle(&[cancelled]);
    let (key, flow) = only(sums.flow_days);
    let expected = Flow {
        placed: 1,
        cancelled: 1,
        ..Flow::default()
    };
    assert_eq!(
        (key.day.to_string().as_str(), flow),
        ("2026-09-21", expected)
    );
    let (_, bundle) = only(sums.bundles);
    let expected = BundleSales {
        orders: 1,
        sold: 1,
        cancelled: 1,
        ..BundleSales::default()
    };
    assert_eq!(bundle, expected);
    assert!(
        text(Sums {
            components: sums.components,
            baskets: sums.baskets,
            ..Sums::default()
        })
        .is_empty()
    );
}

#[test]
fn a_bundle_brings_what_its_lines_bring() {
    let sums = with_bundle(&delivered());
    let (_, bundle) = only(sums.bundles);
    // 36.7432 + 31.8440 + 20.4128, less their shares 1.2896 + 1.1177 + 0.7165 of the order's discount.
    let expected = BundleSales {
        orders: 1,
        sold: 1,
        delivered: 1,
        revenue_units: 858_762,
        apart_units: 1_090_000,
        savings_units: 200_000,
        ..BundleSales::default()
    };
    assert_eq!(bundle, expected);
    let parts: Vec<(String, i64, i64)> = sums
        .components
        .0
        .into_iter()
        .map(|(key, sales)| (key.sku, sales.quantity_units, sales.revenue_units))
        .collect();
    let expected = [
        ("COFFEE".to_owned(), 10_000, 354_536),
        ("SANDWICH".to_owned(), 10_000, 307_263),
        ("YOGHURT".to_owned(), 10_000, 196_963),
    ];
    assert_eq!(parts, expected);
    let (_, baskets) = only(sums.baskets);
    let expected = Baskets {
        orders: 1,
        bundle_orders: 1,
        value_units: 3_149_150,
        bundle_order_units: 3_149_150,
        bundle_units: 858_762,
        // 57.0000 - 2.0006 + 138.9150 - 4.8756
        single_units: 1_890_388,
    };
    assert_eq!(baskets, expected);
}

#[test]
fn a_short_component_takes_its_bundle_along_and_a_return_is_told_apart() {
    let nothing = |line_number| LineFigures {
        line_number,
        quantity: Quantity::ZERO,
        status: OrderStatus::Cancelled,
        discounts: Vec::new(),
        gross: Money::ZERO,
        discount: Money::ZERO,
        net: Money::ZERO,
        order_discount_share: Money::ZERO,
        tax_contained: Money::ZERO,
        tax_added: Money::ZERO,
    };
    let short = OrderEvent::Shorted {
        reason: "none left".into(),
        report_id: None,
        lines: Vec::new(),
        cancelled_bundles: vec!["B1".into()],
        figures: Figures {
            lines: vec![nothing(1), nothing(2), nothing(3)],
            totals: Totals {
                order_total: Money::from_units(1_950_000),
                cash_due: Money::from_units(1_950_000),
                ..Totals::default()
            },
            ..Figures::default()
        },
        occurred_at: Some(at(60)),
    };
    let sums = with_bundle(&[short]);
    let (_, bundle) = only(sums.bundles);
    assert_eq!(
        (bundle.cancelled, bundle.revenue_units, bundle.savings_units),
        (1, 0, 0)
    );
    let (_, baskets) = only(sums.baskets);
    assert_eq!(
        (baskets.orders, baskets.bundle_orders, baskets.bundle_units),
        (1, 0, 0)
    );
    let (_, flow) = only(sums.flow_hours);
    assert_eq!(
        (flow.shorts, flow.exceptions(), flow.value_units),
        (1, 1, 1_950_000)
    );

    let mut events = delivered();
    events.push(OrderEvent::ReturnRequested(Box::new(ReturnRequested {
        cause: ReturnCause::Customer,
        reason: "cold".into(),
        lines: vec![ReturnedLine {
            line_number: 1,
            quantity: Quantity::from_units(10_000),
            value: Money::from_units(354_536),
        }],
        fees: Money::from_units(1),
        refund: Money::ZERO,
        waived: Money::from_units(354_537),
        at: at(86_400),
    })));
    let sums = with_bundle(&events);
    let (_, bundle) = only(sums.bundles);
    assert_eq!(
        (bundle.revenue_units, bundle.returned_units),
        (858_762, 354_536)
    );
    let flows: Vec<Flow> = sums.flow_days.0.into_values().collect();
    assert_eq!(flows[0].cash_due_units, 3_149_200 - 354_537);
    assert_eq!((flows[1].returns, flows[1].returned_units), (1, 354_537));
}

#[test]
fn what_is_stepped_over_is_reached_too_and_a_stage_begins_where_the_one_before_ends() {
    let sums = with_bundle(&delivered());
    let flow = Flow::total(sums.flow_days.0.values());
    for status in OrderStatus::ALL {
        let expected = match status.code() {
            1000 | 3000..=7500 => 1,
            _ => 0,
        };
        assert_eq!(flow.reached(*status), expected, "{status:?}");
    }
    let stages: BTreeMap<(String, String), i64> = sums
        .stages
        .0
        .into_iter()
        .map(|(key, time)| ((key.stage, key.partner_id), time.total_millis))
        .collect();
    let minute = 60_000;
    let stage = |name: &str, partner: &str| stages[&(name.to_owned(), partner.to_owned())];
    // Placed at second 1, when the fixture was recorded; handed over and delivered at once, as the one event says.
    assert_eq!(stage("intake", ""), 119_000);
    assert_eq!(stage("picking", ""), 8 * minute);
    assert_eq!(stage("pickup", ""), 30 * minute);
    assert_eq!(stage("ride", "GRAB"), 0);
    assert_eq!(stage("whole", ""), 40 * minute - 1_000);
    let (key, partner) = only(sums.partners);
    let expected = Partner {
        handed_over: 1,
        delivered: 1,
        delivered_at_once: 1,
        ..Partner::default()
    };
    assert_eq!((key.partner_id.as_str(), partner), ("GRAB", expected));
}

#[test]
fn steps_count_once_with_the_event_they_lead_to_and_none_is_longer_than_a_day() {
    let mut events = life(&[OrderEvent::Released { at: None }]);
    let micros = r#"{"stepMicros":{"validate":7,"release":99999999999999999,"teleport":1}}"#;
    for event in &mut events {
        event.metadata = micros.into();
    }
    let rows: Vec<(String, StepTime)> = all(&events)
        .steps
        .0
        .into_iter()
        .map(|(key, time)| (key.step, time))
        .collect();
    let longest = LONGEST_MICROS.cast_signed();
    let time = |micros| StepTime {
        count: 1,
        total_micros: micros,
        longest_micros: micros,
    };
    assert_eq!(
        rows,
        [
            ("release".to_owned(), time(longest)),
            ("validate".to_owned(), time(7))
        ]
    );
}

/// What is kept in the table must be read by every later program: another form is another shape of the model, with
/// another key.
#[test]
fn the_kept_form_is_what_it_was() {
    let first: OrderEvent = serde_json::from_str(WITH_BUNDLE).unwrap();
    let events: Vec<Recorded> = (1..)
        .zip(std::iter::once(&first).chain(&delivered()[..2]))
        .map(|(sequence, event)| recorded::<Order>(&ORDER, sequence, event))
        .collect();
    let (records, _) = decode(&events, Kind::ALL);
    let records: Vec<OrderRecord<'_>> = records.iter().filter_map(Record::of::<Order>).collect();
    let (_, order) = paged(&records, &[]);
    let kept = serde_json::to_value(&order).unwrap();
    let line = |number: u16, value: &str, part: Option<(&str, &str)>| match part {
        Some((sku, saving)) => serde_json::json!({ "number": number, "value": value,
            "part": { "refId": "B1", "sku": sku, "saving": saving, "returned": "0.0000" } }),
        None => serde_json::json!({ "number": number, "value": value }),
    };
    let placed = 1_790_000_001_000_000_i64;
    let fulfilled = 1_790_000_600_000_000_i64;
    let standing =
        |number: u16, quantity: &str| serde_json::json!([number, 7000, quantity, "0.0000"]);
    let expected = serde_json::json!({
        "version": 3,
        "standing": {
            "cell": { "store_id": order.standing.cell.store_id, "region": order.standing.cell.region, "status": 7000 },
            "lines": [standing(1, "1.0000"), standing(2, "1.0000"), standing(3, "1.0000"), standing(4, "2.0000"),
                standing(5, "0.7350")],
        },
        "reached": { "1000": placed, "3000": 1_790_000_120_000_000_i64, "3500": fulfilled, "3600": fulfilled,
            "3700": fulfilled, "7000": fulfilled },
        "money": { "total": "314.9150", "cashDue": "314.9200", "waived": "0.0000", "isFinal": false },
        "lines": [line(1, "35.4536", Some(("COFFEE", "8.2568"))), line(2, "30.7263", Some(("SANDWICH", "7.1560"))),
            line(3, "19.6963", Some(("YOGHURT", "4.5872"))), line(4, "54.9994", None), line(5, "134.0394", None)],
        "bundles": [{ "refId": "B1", "bundleId": "MORNING", "quantity": 1, "apart": "109.0000" }],
        "delivery": { "carrier": "GRAB", "collector": null, "failed": 0, "isUndelivered": false, "collectedAt": null,
            "discrepancy": "0.0000", "variance": null },
    });
    assert_eq!(kept, expected);
}

#[test]
fn an_event_that_does_not_come_next_is_refused() {
    let events = life(&[OrderEvent::Released { at: None }]);
    let (records, _) = decode(&events, Kind::ALL);
    let records: Vec<OrderRecord<'_>> = records.iter().filter_map(Record::of::<Order>).collect();
    assert!(Life::placed(&records[1]).is_none());
    let mut order = Life::placed(&records[0]).unwrap();
    assert!(order.advance(&records[1]).is_err(), "one left out");
    order.advance(&records[0]).unwrap();
    assert!(order.advance(&records[0]).is_err(), "twice");
}
