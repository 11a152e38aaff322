//! Events as they are stored, with every field filled: what the golden files hold.

use chrono::{DateTime, Utc};

use super::Sample;
use crate::{
    bundle::{
        BundleEvent, BundleKind, BundleRules, Component, DailyHours, Definition, ReturnPolicy,
        Role, Schedule,
    },
    ids::{OrderId, RegionId, Sku},
    intake::{IntakeEvent, Message},
    money::{Money, Rate},
    order::{
        command::{AdjustmentInput, BundleInput, LineInput, PackInput, PlaceOrder, Slot},
        event::Sealed,
    },
    refusal::{Code, Problem},
    remittance::{
        ComparedItem, ExpectedItem, ItemOutcome, RemittanceEvent, RemittanceId, ReportedItem,
        Resolution, ResolvedItem, SettledItem, Summary,
    },
    store::{Profile, StoreEvent},
};

pub(super) use crate::order::tests::samples::all as order;

fn baht(text: &str) -> Money {
    text.parse().unwrap()
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn order_id(last: u8) -> OrderId {
    let text = format!("0198c9a4-0000-7000-8000-0000000000{last:02}");
    text.parse().unwrap()
}

fn component(product: &str, price: &str) -> Component {
    Component {
        sku: Sku::new(product).unwrap(),
        name_th: Some("ของ".into()),
        name_en: Some(product.to_lowercase()),
        quantity: "1".parse().unwrap(),
        unit_price: baht(price),
        role: Role::AddOn,
        tax_rate: Some(rate("0.07")),
        substitutable: true,
        max_rise: Some(rate("0.1")),
    }
}

fn definition(pricing: BundleRules) -> Definition {
    Definition {
        sku: Sku::new("SET-1").unwrap(),
        name_th: Some("ชุดเช้า".into()),
        name_en: Some("Morning set".into()),
        kind: BundleKind::BreakfastCombo,
        components: vec![
            component("COFFEE", "45"),
            component("SANDWICH", "39"),
            component("YOGHURT", "25"),
        ],
        pricing,
        schedule: Schedule {
            from: Some(at("2026-03-01T00:00:00Z")),
            until: Some(at("2026-04-01T00:00:00Z")),
            weekdays: vec![1, 7],
            hours: Some(DailyHours { from: 360, to: 630 }),
        },
        stores: vec!["CFR029".parse().unwrap()],
        priority: -5,
        match_lines: true,
        returns: ReturnPolicy::Components,
    }
}

pub(super) fn bundle() -> Vec<Sample<BundleEvent>> {
    let revised = |variant, version, pricing| {
        let definition = definition(pricing);
        let event = BundleEvent::Revised {
            version,
            definition,
        };
        Sample { variant, event }
    };
    let fixed = BundleRules::FixedPrice { price: baht("89") };
    let percent = BundleRules::Percent { off: rate("0.1") };
    let off = vec![baht("5"), Money::ZERO];
    vec![
        Sample::only(BundleEvent::Defined {
            definition: definition(fixed),
        }),
        revised(None, 2, percent),
        revised(
            Some("component_discount"),
            3,
            BundleRules::ComponentDiscount { off },
        ),
        revised(Some("free"), 4, BundleRules::BuyXGetY { free: vec![2] }),
        Sample::only(BundleEvent::Activated {}),
        Sample::only(BundleEvent::Retired {
            reason: "the season is over".into(),
        }),
    ]
}

pub(super) fn store() -> Vec<Sample<StoreEvent>> {
    let profile = |name: &str| Profile {
        name: name.into(),
        region: RegionId::new("BKK-EAST").unwrap(),
        zone: "BKK".into(),
        opening: Some("2026-03-01".parse().unwrap()),
        hours: Some(DailyHours {
            from: 420,
            to: 1_320,
        }),
        cod_limit: Some(baht("3000")),
        auto_release: false,
    };
    [
        StoreEvent::Opened {
            profile: profile("อ่อนนุช"),
        },
        StoreEvent::Changed {
            profile: profile("อ่อนนุช 2"),
        },
        StoreEvent::Activated {},
        StoreEvent::Deactivated {
            reason: "flooded".into(),
        },
    ]
    .map(Sample::only)
    .into()
}

fn id() -> RemittanceId {
    "GRAB:CFR029:2026-03-14".parse().unwrap()
}

fn region() -> RegionId {
    RegionId::new("BKK-EAST").unwrap()
}

fn summary(open: u32, accepted: &str) -> Summary {
    Summary {
        expected: baht("328"),
        reported: baht("327.50"),
        variance: baht("-0.50"),
        accepted: baht(accepted),
        matched: 0,
        differing: 1,
        missing: 0,
        extra: 0,
        open,
    }
}

fn expected_item() -> ExpectedItem {
    ExpectedItem {
        order_id: order_id(2),
        reference: "QC-2026-03-14-000002".into(),
        amount: baht("328"),
        rider_id: Some("R-7".into()),
        collected_at: at("2026-03-14T05:00:00Z"),
    }
}

fn reported_item() -> ReportedItem {
    ReportedItem {
        reference: "QC-2026-03-14-000002".into(),
        order_id: Some(order_id(2)),
        amount: baht("327.50"),
    }
}

pub(super) fn remittance() -> Vec<Sample<RemittanceEvent>> {
    let resolved = ResolvedItem {
        reference: "QC-2026-03-14-000002".into(),
        accepted: baht("328"),
        resolution: Resolution::PartnerPays,
        reason: "counted again".into(),
    };
    let compared = ComparedItem {
        reference: "QC-2026-03-14-000002".into(),
        order_id: Some(order_id(2)),
        rider_id: Some("R-7".into()),
        outcome: ItemOutcome::Variance,
        expected: baht("328"),
        reported: baht("327.50"),
        variance: baht("-0.50"),
    };
    let settled = SettledItem {
        reference: "QC-2026-03-14-000002".into(),
        order_id: Some(order_id(2)),
        outcome: ItemOutcome::Variance,
        expected: baht("328"),
        accepted: baht("328"),
    };
    [
        RemittanceEvent::Expected {
            id: id(),
            region: region(),
            items: vec![expected_item()],
        },
        RemittanceEvent::Reported {
            id: id(),
            region: region(),
            report_id: "REPORT-1".into(),
            items: vec![reported_item()],
        },
        RemittanceEvent::Compared {
            items: vec![compared],
            summary: summary(1, "327.50"),
        },
        RemittanceEvent::ItemDisputed {
            reference: "QC-2026-03-14-000002".into(),
            reason: "the photo shows 328".into(),
            summary: summary(1, "327.50"),
        },
        RemittanceEvent::ItemResolved {
            resolved,
            summary: summary(0, "328"),
        },
        RemittanceEvent::Closed {
            items: vec![settled],
            summary: summary(0, "328"),
        },
        RemittanceEvent::CashReceived {
            amount: baht("300"),
            remaining: baht("28"),
            reference: Some("RECEIPT-1".into()),
        },
        RemittanceEvent::Deposited {
            amount: baht("200"),
            remaining: baht("100"),
            reference: Some("SLIP-1".into()),
        },
    ]
    .map(Sample::only)
    .into()
}

fn adjustment(kind: &str) -> AdjustmentInput {
    AdjustmentInput {
        kind: kind.into(),
        amount: baht("40"),
        informational: true,
        tax_rate: Some(rate("0.07")),
        is_tax_included: Some(true),
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.into())
}

fn full_message() -> Message {
    let line = LineInput {
        line_number: 1,
        sku: "SET-1".into(),
        quantity: "2".parse().unwrap(),
        uom: text("SPAC"),
        unit_price: baht("89"),
        original_unit_price: Some(baht("109")),
        discounts: vec![adjustment("PROMOTION")],
        tax_rate: Some(rate("0.07")),
        is_tax_included: Some(true),
        is_weight_item: false,
        pack: Some(PackInput {
            unit_price: baht("89"),
            ordered: 2,
            units_per_pack: 3,
        }),
        bundle: Some(BundleInput {
            bundle_id: "MORNING".into(),
            ref_id: "B1".into(),
        }),
        name_th: text("ชุดเช้า"),
        name_en: text("Morning set"),
        is_gift: false,
        promotion_id: text("PROMO-1"),
    };
    let order = PlaceOrder {
        number: text("QC-2026-03-14-000123"),
        channel: "GRAB".into(),
        order_type: text("MKP-HD-STD"),
        alternate_order_id: text("123456789-C7NVLG"),
        cust_ref: text("SL-1"),
        store_id: "CFR999".into(),
        is_force_allocation: Some(false),
        customer_id: text("C-1"),
        t1_membership_id: text("T1-1"),
        t1_number: text("0012345"),
        contact: None,
        lines: vec![line],
        order_discounts: vec![adjustment("MEMBER")],
        fees: vec![adjustment("SHIPPING")],
        payment_method: text("COD"),
        expected_total: Some(baht("178")),
        requested_slot: Some(Slot {
            from: at("2026-03-14T04:00:00Z"),
            to: at("2026-03-14T05:00:00Z"),
        }),
        promised_at: Some(at("2026-03-14T04:30:00Z")),
        captured_at: Some(at("2026-03-14T03:29:00Z")),
        allow_substitution: true,
    };
    Message {
        source: "order.create.v1".into(),
        message_id: "MSG-1".into(),
        order: Box::new(order),
        contact: Some(Sealed {
            subject: "customer:C-1".into(),
            sealed: "c2VhbGVk".into(),
        }),
    }
}

pub(super) fn intake() -> Vec<Sample<IntakeEvent>> {
    let problem = |code, path: &str| Problem {
        code,
        path: path.into(),
        message: "nobody knows this store".into(),
    };
    [
        IntakeEvent::Placed {
            order_id: order_id(2),
            reason: "the store is open now".into(),
        },
        IntakeEvent::Dismissed {
            reason: "a test of the partner".into(),
        },
        IntakeEvent::Rejected {
            message: full_message(),
            problems: vec![
                problem(Code::ErrInvalidLocation, "storeId"),
                problem(Code::ErrForceAllocationRequired, "isForceAllocation"),
            ],
            attempt: 2,
        },
    ]
    .map(Sample::only)
    .into()
}
