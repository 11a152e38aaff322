//! What holds for any input and any sequence of commands.

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    money::Rate,
    order::{
        command::{Address, Contact, Slot},
        event::{Line, SealedContact},
        upcast::decode,
    },
    pricing::{Fee, Item},
};

/// Runs of each property. Together they stay well below the crate's test budget.
const CASES: u32 = 200;

/// Any number at all, the extremes and the usual ones above the average.
fn units() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 0..2_000_000i64,
        2 => (0..500i64).prop_map(|n| n * 10_000),
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MAX, -1, 0, 1, 999_999_999_999_999_999]),
    ]
}

fn money() -> impl Strategy<Value = Money> {
    units().prop_map(Money::from_units)
}

fn rate() -> impl Strategy<Value = Option<Rate>> {
    option::of(prop_oneof![Just(700), Just(0), any::<i64>()].prop_map(Rate::from_units))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z0-9@.+ -]{0,12}",
        1 => any::<[char; 4]>().prop_map(|chars| chars.iter().collect()),
        1 => (0..600usize).prop_map(|length| "ก".repeat(length)),
        1 => prop::sample::select(vec!["", "-", "undefined", "\u{0}", "น้ำปลา", "🍜", "CFR029"])
            .prop_map(str::to_owned),
    ]
}

fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![
        (-10_000..10_000i64).prop_map(in_minutes),
        Just(DateTime::<Utc>::MIN_UTC),
        Just(DateTime::<Utc>::MAX_UTC),
    ]
}

prop_compose! {
    fn any_adjustment()(
        kind in text(), amount in money(), informational: bool, tax_rate in rate(),
        is_tax_included in option::of(any::<bool>()),
    ) -> AdjustmentInput {
        AdjustmentInput { kind, amount, informational, tax_rate, is_tax_included }
    }
}

prop_compose! {
    fn any_line()(
        line_number in prop_oneof![0..30i32, any::<i32>()], sku in text(), quantity in units(),
        uom in option::of(text()), unit_price in money(), original in option::of(money()),
        discounts in vec(any_adjustment(), 0..4), tax_rate in rate(), is_weight_item: bool,
        pack in option::of((money(), any::<i32>(), any::<i32>())),
    ) -> LineInput {
        let pack = pack.map(|(unit_price, ordered, units_per_pack)| {
            PackInput { unit_price, ordered, units_per_pack }
        });
        LineInput {
            line_number, sku: sku.clone(), quantity: Quantity::from_units(quantity), uom,
            unit_price, original_unit_price: original, discounts, tax_rate,
            is_tax_included: None, is_weight_item, pack, name_th: Some(sku), name_en: None,
            is_gift: false, promotion_id: None,
        }
    }
}

prop_compose! {
    fn any_contact()(texts in vec(option::of(text()), 9)) -> Contact {
        let mut texts = texts.into_iter();
        let mut next = move || texts.next().flatten();
        Contact {
            name: next(), phone: next(), email: next(),
            address: next().map(|line1| Address {
                line1, line2: next(), line3: None, city: next(), state: next(),
                postal_code: next(), country: next(),
            }),
        }
    }
}

prop_compose! {
    fn anything()(
        texts in vec(option::of(text()), 9), lines in vec(any_line(), 0..23),
        order_discounts in vec(any_adjustment(), 0..4), fees in vec(any_adjustment(), 0..4),
        force in option::of(any::<bool>()), expected_total in option::of(money()),
        times in vec(any_time(), 4), contact in option::of(any_contact()),
    ) -> PlaceOrder {
        let mut texts = texts.into_iter();
        let mut next = move || texts.next().flatten();
        PlaceOrder {
            number: next(), channel: next().unwrap_or_default(), order_type: next(),
            alternate_order_id: next(), cust_ref: next(), store_id: next().unwrap_or_default(),
            is_force_allocation: force, customer_id: next(), t1_membership_id: next(),
            t1_number: next(), contact, lines, order_discounts, fees, payment_method: None,
            expected_total, requested_slot: Some(Slot { from: times[0], to: times[1] }),
            promised_at: Some(times[2]), captured_at: Some(times[3]), allow_substitution: false,
        }
    }
}

prop_compose! {
    /// A line that passes: price, quantity, and discounts of less than half of it.
    fn good_line()(
        price in 100_000..5_000_000i64, pieces in 1..20i64, grams in option::of(1..5_000i64),
        percent in 0..45i64, is_tax_included: bool, zero_rated: bool,
    ) -> LineInput {
        let quantity = grams.map_or(pieces * 10_000, |grams| grams * 10);
        let off = price / 100 * percent / 10_000 * quantity;
        LineInput {
            quantity: Quantity::from_units(quantity),
            is_weight_item: grams.is_some(),
            discounts: vec![AdjustmentInput {
                kind: "PROMOTION".into(), amount: Money::from_units(off),
                ..AdjustmentInput::default()
            }],
            is_tax_included: Some(is_tax_included),
            tax_rate: zero_rated.then_some(Rate::ZERO),
            unit_price: Money::from_units(price),
            ..line(1, "1", "1")
        }
    }
}

prop_compose! {
    /// An order that passes, under a store without a practical limit.
    fn good_order()(
        mut lines in vec(good_line(), 1..=20), permille in 0..400i128, fee in 0..1_000_000i64,
    ) -> PlaceOrder {
        for (line, number) in lines.iter_mut().zip(1..) {
            line.line_number = number;
        }
        let gross: i128 = lines.iter().map(|l| {
            let gross = crate::pricing::extend(l.unit_price, l.quantity).unwrap();
            i128::from(gross.units())
        }).sum();
        let off = Money::from_units(i64::try_from(gross * permille / 1_000).unwrap());
        let order_discount = AdjustmentInput { amount: off, ..adjustment("MEMBER", "0") };
        let fee = AdjustmentInput { amount: Money::from_units(fee), ..adjustment("SHIPPING", "0") };
        let floor = adjustment("SERVICE", "10");
        PlaceOrder {
            order_discounts: vec![order_discount],
            fees: vec![fee, floor],
            ..order_of(lines)
        }
    }
}

fn no_limit() -> Scenario {
    let limit = Money::from_units(crate::money::MAX_UNITS);
    nothing().given(|facts| {
        facts
            .store
            .iter_mut()
            .for_each(|s| s.cod_limit = Some(limit))
    })
}

fn any_command() -> impl Strategy<Value = OrderCommand> {
    let status = || prop::sample::select(OrderStatus::ALL.to_vec());
    let tracking_id = || prop::sample::select(vec![None, Some("TH-1"), Some("TH-2")]);
    prop_oneof![
        1 => Just(any_order()),
        3 => Just(OrderCommand::Allocate),
        3 => prop::sample::select(vec!["100", "99"]).prop_map(pay),
        3 => Just(OrderCommand::Release),
        3 => status().prop_map(picking),
        3 => (status(), tracking_id()).prop_map(|(to, id)| shipment(to, id)),
        3 => status().prop_map(delivery),
        1 => prop::sample::select(vec!["", "why"]).prop_map(cancel),
    ]
}

fn sum(lines: &[Line], figure: impl Fn(&Line) -> Money) -> i64 {
    lines.iter().map(|line| figure(line).units()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_makes_placing_panic(command in anything(), sealed: bool) {
        let contact = SealedContact { subject: "order:1".into(), sealed: String::new() };
        let given = nothing().given(|facts| facts.contact = sealed.then_some(contact));
        match given.decide(&place(command)) {
            Ok(events) => prop_assert_eq!(events.len(), 1),
            Err(refusal) => prop_assert!(!refusal.problems.is_empty()),
        }
    }

    #[test]
    fn no_figures_make_pricing_panic(
        items in vec((units(), units(), units(), units(), any::<bool>()), 0..6),
        order_discount in money(), fees in vec((money(), units(), any::<bool>()), 0..3),
    ) {
        let items: Vec<Item> = items.into_iter().map(|(price, quantity, discount, rate, inside)| Item {
            original_unit_price: Money::from_units(price),
            quantity: Quantity::from_units(quantity),
            discount: Money::from_units(discount),
            tax_rate: Rate::from_units(rate),
            is_tax_included: inside,
        }).collect();
        let fees: Vec<Fee> = fees.into_iter().map(|(amount, rate, inside)| Fee {
            amount, tax_rate: Rate::from_units(rate), is_tax_included: inside, informational: false,
        }).collect();
        if let Ok(sums) = crate::pricing::price(&items, order_discount, &fees) {
            let shared: i64 = sums.items.iter().map(|s| s.order_discount_share.units()).sum();
            prop_assert_eq!(shared, order_discount.units());
        }
    }

    #[test]
    fn an_amount_is_shared_to_the_last_unit(
        values in vec(prop_oneof![0..100i64, 0..=crate::money::MAX_UNITS], 1..20), permille in 0..=1_000i128,
    ) {
        let values: Vec<Money> = values.into_iter().map(Money::from_units).collect();
        let sum: i128 = values.iter().map(|v| i128::from(v.units())).sum();
        let Ok(total) = i64::try_from(sum * permille / 1_000) else { return Ok(()) };
        let shares = crate::pricing::share(Money::from_units(total), &values).unwrap();
        prop_assert_eq!(shares.iter().map(|s| s.units()).sum::<i64>(), total);
        for (share, value) in shares.iter().zip(&values) {
            prop_assert!(!share.is_negative() && share <= value);
        }
    }

    #[test]
    fn a_command_survives_its_json(command in anything()) {
        let command = place(command);
        let text = serde_json::to_string(&command).unwrap();
        // Decimals beyond DECIMAL(18,4) can be built in Rust but not sent.
        if let Ok(back) = serde_json::from_str::<OrderCommand>(&text) {
            prop_assert_eq!(back, command);
        }
    }

    #[test]
    fn the_sums_are_exact(command in good_order()) {
        let placed = no_limit().when(place(command)).placed();
        let (t, lines) = (placed.totals, &placed.lines);
        let fee = |figure: fn(&crate::order::event::Adjustment) -> Money| -> i64 {
            placed.fees.iter().map(|f| figure(f).units()).sum()
        };
        let discount: i64 = placed.order_discounts.iter().map(|d| d.amount.units()).sum();
        for line in lines {
            prop_assert_eq!(line.net.units(), line.gross.units() - line.discount.units());
            prop_assert!(line.order_discount_share <= line.net);
            prop_assert!(!line.order_discount_share.is_negative());
            prop_assert!(!line.tax_contained.is_negative() && !line.tax_added.is_negative());
            prop_assert!(line.tax_contained.is_zero() || line.tax_added.is_zero());
        }
        prop_assert_eq!(sum(lines, |l| l.net), t.sub_total.units());
        prop_assert_eq!(sum(lines, |l| l.order_discount_share), discount);
        prop_assert_eq!(sum(lines, |l| l.discount) + discount, t.total_discount.units());
        let contained = sum(lines, |l| l.tax_contained) + fee(|f| f.tax_contained);
        prop_assert_eq!(contained, t.informational_taxes.units());
        let added = sum(lines, |l| l.tax_added) + fee(|f| f.tax_added);
        prop_assert_eq!(added, t.total_taxes.units());
        prop_assert_eq!(fee(|f| f.amount), t.fees.units());
        let charge = t.sub_total.units() + added + t.fees.units();
        prop_assert_eq!(charge, t.total_charge.units());
        prop_assert_eq!(charge - discount, t.order_total.units());
        prop_assert_eq!(t.cash_due.units() - t.cash_rounding.units(), t.order_total.units());
        prop_assert_eq!(t.cash_due.units() % 100, 0);
        prop_assert!(t.cash_rounding.units().abs() <= 50);
    }

    #[test]
    fn the_status_moves_only_along_the_machine(
        steps in vec((any_command(), prop::sample::select(Role::ALL.to_vec()), any::<bool>()), 0..40),
    ) {
        let mut given = no_limit().and(any_order());
        let mut stored = no_limit().decide(&any_order()).unwrap();
        for (command, role, active) in steps {
            given = given.by(role);
            given.facts.store.iter_mut().for_each(|store| store.active = active);
            let before = given.order.clone();
            let Ok(events) = given.decide(&command) else { continue };
            prop_assert!(events.len() <= 1);
            for event in events {
                given.order.apply(&event);
                let to = given.order.status;
                match event.status_after() {
                    Some(after) => {
                        prop_assert_eq!(after, to);
                        let path = before.status.path_to(to);
                        prop_assert!(path.is_some(), "{:?} -> {:?}", before.status, to);
                        prop_assert_eq!(path.unwrap_or_default(), skipped(&event));
                    }
                    None => prop_assert_eq!(before.status, to),
                }
                stored.push(event);
            }
            // Whatever was accepted is there: asking again changes nothing.
            if !matches!(command, OrderCommand::Place(_)) {
                prop_assert_eq!(given.decide(&command), Ok(Vec::new()));
            }
        }
        prop_assert_eq!(refold(&stored), given.order.clone());
        let document = serde_json::to_string(&given.order).unwrap();
        prop_assert_eq!(serde_json::from_str::<Order>(&document).unwrap(), given.order);
    }

    #[test]
    fn a_placed_order_survives_the_log(command in good_order()) {
        let given = no_limit();
        let events = given.decide(&place(command)).unwrap();
        let order = given.order.clone();
        let direct = events.iter().fold(order, |mut order, event| { order.apply(event); order });
        prop_assert_eq!(refold(&events), direct);
    }
}

fn skipped(event: &OrderEvent) -> &[OrderStatus] {
    match event {
        OrderEvent::PickingRecorded { step }
        | OrderEvent::ShipmentRecorded { step, .. }
        | OrderEvent::DeliveryRecorded { step } => &step.skipped,
        _ => &[],
    }
}

/// The order that a reader of the stored texts sees.
fn refold(events: &[OrderEvent]) -> Order {
    let mut order = Order::default();
    for event in events {
        let text = serde_json::to_string(event).unwrap();
        order.apply(&decode(event.event_type(), event.version(), &text).unwrap());
    }
    order
}
