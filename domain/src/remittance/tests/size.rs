//! The largest events stay below the largest message.

use super::*;

/// The largest message that leaves the ledger.
const MAX_BYTES: usize = 1_000_000;

/// A text of 50 characters, each of four bytes, with its number in it.
fn wide(number: usize) -> String {
    let digits = number.to_string();
    format!("{digits}{}", "🍜".repeat(50 - digits.len()))
}

#[test]
fn the_largest_comparison_fits_one_message() {
    let amount = baht("1000000000");
    let items = (0..MAX_ITEMS).map(|number| ExpectedItem {
        order_id: order(number as u128),
        reference: wide(number),
        amount,
        rider_id: Some(wide(number)),
        collected_at: now(),
    });
    let expect = RemittanceCommand::Expect {
        region: RegionId::new("x".repeat(20)).unwrap(),
        items: items.collect(),
    };
    let extras = (MAX_ITEMS..2 * MAX_ITEMS).map(|number| ReportedItemInput {
        reference: wide(number),
        amount,
    });
    let report = RemittanceCommand::Report {
        report_id: wide(0),
        items: extras.collect(),
        total: None,
    };
    let facts = RemittanceFacts {
        orders: (MAX_ITEMS..2 * MAX_ITEMS)
            .map(|number| (wide(number), order(number as u128)))
            .collect(),
        ..facts()
    };
    let mut remittance = Remittance::default();
    let check = |remittance: &mut Remittance, command: &RemittanceCommand| {
        for event in decide_with(remittance, command, &facts).unwrap() {
            let bytes = serde_json::to_vec(&event).unwrap().len();
            assert!(bytes < MAX_BYTES, "{bytes} bytes");
            remittance.apply(&event);
        }
    };
    check(&mut remittance, &expect);
    check(&mut remittance, &report);
    assert_eq!(remittance.comparisons.len(), 2 * MAX_ITEMS);
    let closed = RemittanceEvent::Closed {
        items: remittance
            .comparisons
            .iter()
            .map(Comparison::settled)
            .collect(),
        summary: remittance.summary,
    };
    assert!(serde_json::to_vec(&closed).unwrap().len() < MAX_BYTES);
    // The sums are exact, not cut off.
    assert_eq!(remittance.summary.expected, baht("1000000000000"));
    assert_eq!(remittance.summary.variance, Money::ZERO);
}
