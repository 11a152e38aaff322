//! The life of an order with a bundle, a substitution, a short and a return. Its sums follow from
//! the formulas: a bundle of 45, 39 and 25 sold at 89, two of 28.50, 0.735 kg at 189, 10 off for a
//! member, 40 for shipping.

mod delivery;

use super::*;
use crate::{
    bundle::{BundleKind, ReturnPolicy},
    ids::Sku,
    order::event::{
        Adjustment, BundlePart, BundleSource, DeclineCause, ExternalRef, Figures, Line,
        LineFigures, LineQuantity, OrderedBundle, Proposal, Replacement, System, Totals,
    },
};

pub(super) fn all() -> Vec<Sample<OrderEvent>> {
    let mut samples = placing();
    samples.extend(picking());
    samples.extend(delivery::all());
    samples
}

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn sealed(what: &str) -> Sealed {
    Sealed {
        subject: "order:0198c9a4-0000-7000-8000-000000000001".into(),
        sealed: what.into(),
    }
}

fn step(from: S, to: S, skipped: &[S]) -> Step {
    Step {
        from,
        to,
        skipped: skipped.to_vec(),
        occurred_at: Some(in_minutes(20)),
        recorded_at: Some(in_minutes(21)),
    }
}

fn counted(kind: &str, amount: &str, tax_contained: &str) -> Adjustment {
    Adjustment {
        kind: kind.into(),
        amount: baht(amount),
        tax_contained: baht(tax_contained),
        ..Adjustment::default()
    }
}

/// Number, product, quantity and price, then gross, discount, net, share of the order discount and
/// VAT inside.
type Row<'a> = (u16, &'a str, &'a str, &'a str, [&'a str; 5]);

const LINES: [Row<'_>; 5] = [
    (
        1,
        "COFFEE",
        "1",
        "45",
        ["45", "8.2568", "36.7432", "1.2896", "2.3194"],
    ),
    (
        2,
        "SANDWICH",
        "1",
        "39",
        ["39", "7.1560", "31.8440", "1.1177", "2.0101"],
    ),
    (
        3,
        "YOGHURT",
        "1",
        "25",
        ["25", "4.5872", "20.4128", "0.7165", "1.2885"],
    ),
    (
        4,
        "JUICE",
        "2",
        "28.50",
        ["57", "0", "57", "2.0006", "3.5981"],
    ),
    (
        5,
        "MANGO",
        "0.735",
        "189",
        ["138.9150", "0", "138.9150", "4.8756", "8.7689"],
    ),
];

fn discounts(line_number: u16, discount: Money) -> Vec<Adjustment> {
    let adjustment = match line_number {
        1..=3 => Adjustment {
            kind: "BUNDLE".into(),
            amount: discount,
            ..Adjustment::default()
        },
        _ => Adjustment {
            informational: true,
            ..counted("CAMPAIGN", "11", "0")
        },
    };
    vec![adjustment]
}

fn line((line_number, product, pieces, price, figures): Row<'_>) -> Line {
    let [gross, discount, net, share, tax] = figures.map(baht);
    let is_component = line_number <= 3;
    Line {
        line_number,
        sku: sku(product),
        name_th: None,
        name_en: Some(product.to_lowercase()),
        short_description: Some("As the catalogue says".into()),
        image_url: Some("https://images.example/1.jpg".into()),
        uom: None,
        quantity: quantity(pieces),
        is_weight_item: line_number == 5,
        pack: None,
        bundle: is_component.then(|| BundlePart {
            ref_id: "B1".into(),
            submitted_line: 1,
            per_bundle: quantity("1"),
            substitutable: line_number == 2,
            max_rise: "0.2".parse().unwrap(),
        }),
        unit_price: baht(price),
        original_unit_price: baht(price),
        discounts: discounts(line_number, discount),
        is_gift: false,
        promotion_id: None,
        tax_rate: "0.07".parse().unwrap(),
        is_tax_included: true,
        gross,
        discount,
        net,
        order_discount_share: share,
        tax_contained: tax,
        tax_added: Money::ZERO,
    }
}

/// Sub-total, line and order discounts, VAT inside, cash due and its rounding.
fn totals([sub_total, discount, tax, cash_due, rounding]: [&str; 5]) -> Totals {
    let sub_total = baht(sub_total);
    let charge = Money::from_units(sub_total.units() + baht("40").units());
    Totals {
        sub_total,
        total_charge: charge,
        order_total: Money::from_units(charge.units() - baht("10").units()),
        total_discount: baht(discount),
        total_taxes: Money::ZERO,
        informational_taxes: baht(tax),
        fees: baht("40"),
        cash_due: baht(cash_due),
        cash_rounding: baht(rounding),
    }
}

fn figures(lines: [(&str, S, [&str; 5]); 5], sums: [&str; 5]) -> Figures {
    let line = |(line_number, (left, status, figures)): (u16, (&str, S, [&str; 5]))| {
        let [gross, discount, net, order_discount_share, tax_contained] = figures.map(baht);
        LineFigures {
            line_number,
            quantity: quantity(left),
            status,
            gross,
            discount,
            discounts: discounts(line_number, discount),
            net,
            order_discount_share,
            tax_contained,
            tax_added: Money::ZERO,
        }
    };
    Figures {
        lines: (1..).zip(lines).map(line).collect(),
        order_discounts: vec![counted("MEMBER", "10", "0")],
        fees: vec![counted("SHIPPING", "40", "2.6168")],
        totals: totals(sums),
    }
}

fn placed() -> Placed {
    let bundle = OrderedBundle {
        ref_id: "B1".into(),
        bundle_id: "MORNING".parse().unwrap(),
        version: 3,
        source: BundleSource::Expanded,
        kind: BundleKind::BreakfastCombo,
        name_th: Some("ชุดเช้า".into()),
        name_en: Some("Morning set".into()),
        quantity: 1,
        price: baht("89"),
        individual_price: baht("109"),
        savings: baht("20"),
        returns: ReturnPolicy::Whole,
        components: 3,
    };
    Placed {
        refs: vec![ExternalRef {
            system: System::Pmp,
            reference: "PMP-1".into(),
        }],
        contact: Some(sealed("Y29udGFjdA==")),
        lines: LINES.map(line).into(),
        bundles: vec![bundle],
        order_discounts: vec![counted("MEMBER", "10", "0")],
        fees: vec![counted("SHIPPING", "40", "2.6168")],
        totals: totals(["284.9150", "30", "20.6018", "314.92", "0.0050"]),
        ..full_order()
    }
}

fn placing() -> Vec<Sample<OrderEvent>> {
    let lines = [
        (
            "1",
            S::Allocated,
            ["45", "8.2568", "36.7432", "1.3203", "2.3174"],
        ),
        (
            "1",
            S::Allocated,
            ["39", "7.1560", "31.8440", "1.1442", "2.0084"],
        ),
        (
            "1",
            S::Allocated,
            ["25", "4.5872", "20.4128", "0.7335", "1.2874"],
        ),
        ("2", S::Allocated, ["57", "0", "57", "2.0481", "3.5950"]),
        (
            "0.7",
            S::Allocated,
            ["132.3", "0", "132.3", "4.7539", "8.3441"],
        ),
    ];
    vec![
        Sample::variant("bundles", OrderEvent::Placed(Box::new(placed()))),
        Sample::variant(
            "code",
            OrderEvent::BackOrdered {
                reason: "store CFR029 is not known".into(),
                code: Some(Code::ErrInvalidLocation),
            },
        ),
        Sample::only(OrderEvent::Allocated {
            from: S::BackOrdered,
        }),
        Sample::only(OrderEvent::LinesChanged {
            reason: "a smaller one".into(),
            lines: vec![LineQuantity {
                line_number: 5,
                quantity: quantity("0.7"),
            }],
            figures: figures(lines, ["278.3", "30", "20.1691", "308.30", "0"]),
        }),
        Sample::variant(
            "change",
            OrderEvent::Paid {
                method: "COD".into(),
                amount: baht("308.30"),
                rounding: Money::ZERO,
            },
        ),
        Sample::variant(
            "time",
            OrderEvent::Released {
                at: Some(in_minutes(10)),
            },
        ),
        Sample::only(OrderEvent::Stuck {
            status: S::Released,
            since: in_minutes(10),
        }),
    ]
}

fn proposal(id: &str, line_number: u16, price: &str) -> Proposal {
    Proposal {
        proposal_id: id.into(),
        line_number,
        replacement: Replacement {
            sku: sku("OTHER"),
            name_th: Some("อย่างอื่น".into()),
            name_en: Some("Another".into()),
            unit_price: baht(price),
            quantity: quantity("2"),
        },
        approve_by: in_minutes(17),
        via_merchant_app: false,
        reason: Some("sold out".into()),
    }
}

fn picking() -> Vec<Sample<OrderEvent>> {
    let approved = [
        (
            "1",
            S::Released,
            ["45", "8.2568", "36.7432", "1.3062", "2.3183"],
        ),
        (
            "1",
            S::Released,
            ["39", "7.1560", "31.8440", "1.1320", "2.0092"],
        ),
        (
            "1",
            S::Released,
            ["25", "4.5872", "20.4128", "0.7257", "1.2879"],
        ),
        ("2", S::Released, ["60", "0", "60", "2.1330", "3.7857"]),
        (
            "0.7",
            S::Released,
            ["132.3", "0", "132.3", "4.7031", "8.3475"],
        ),
    ];
    let short = [
        ("0", S::Cancelled, ["0"; 5]),
        ("0", S::Cancelled, ["0"; 5]),
        ("0", S::Cancelled, ["0"; 5]),
        ("2", S::Released, ["60", "0", "60", "3.1201", "3.7211"]),
        (
            "0.7",
            S::Released,
            ["132.3", "0", "132.3", "6.8799", "8.2051"],
        ),
    ];
    [
        OrderEvent::SubstitutionProposed {
            proposal: proposal("P1", 4, "30"),
        },
        OrderEvent::SubstitutionApproved {
            proposal: proposal("P1", 4, "30"),
            figures: figures(approved, ["281.3", "30", "20.3654", "311.30", "0"]),
        },
        OrderEvent::SubstitutionDeclined {
            proposal_id: "P2".into(),
            line_number: 2,
            cause: DeclineCause::Timeout,
        },
        OrderEvent::Shorted {
            reason: "sold out".into(),
            report_id: Some("SHORT-1".into()),
            lines: vec![LineQuantity {
                line_number: 2,
                quantity: Quantity::ZERO,
            }],
            cancelled_bundles: vec!["B1".into()],
            figures: figures(short, ["192.3", "10", "14.5430", "222.30", "0"]),
            occurred_at: Some(in_minutes(18)),
        },
    ]
    .map(Sample::only)
    .into()
}
