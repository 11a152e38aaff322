//! Well-formed commands whose fields break a rule, and odd ones that break none.

use serde_json::{Value, json};

use super::{
    good::{definition, good},
    support::{
        cell, command, done, input, merged, place_input, placed, problems, rows, with_line, world,
    },
};

fn lines(count: i64) -> Value {
    let one = &with_line(json!({}))["lines"][0];
    let number = |n: i64| merged(one, json!({ "lineNumber": n }));
    json!({ "lines": (1..=count).map(number).collect::<Vec<_>>() })
}

/// What is changed of a good line, and the field at fault.
const LINES: &str = r#"
    {"lineNumber": 0}                                                   | lineNumber
    {"lineNumber": -1}                                                  | lineNumber
    {"lineNumber": 2147483647}                                          | lineNumber
    {"sku": ""}                                                         | sku
    {"sku": "a\u0000b"}                                                 | sku
    {"quantity": "-1"}                                                  | quantity
    {"quantity": "0"}                                                   | quantity
    {"quantity": "0.5"}                                                 | quantity
    {"quantity": "1000000"}                                             | quantity
    {"quantity": "99999999999999.9999"}                                 | quantity
    {"unitPrice": "-0.01"}                                              | unitPrice
    {"unitPrice": "99999999999999.9999", "quantity": "999999"}          | unitPrice
    {"taxRate": "1.0001"}                                               | taxRate
    {"taxRate": "-0.07"}                                                | taxRate
    {"nameTh": "\u0007"}                                                | nameTh
    {"discounts": [{"kind": "X", "amount": "-1"}]}                      | discounts.0.amount
    {"discounts": [{"kind": "X", "amount": "45.01"}]}                   | discounts
    {"pack": {"unitPrice": "45.00", "ordered": 1, "unitsPerPack": 2147483647}} | pack.unitsPerPack
    {"pack": {"unitPrice": "45.00", "ordered": -1, "unitsPerPack": 1}}  | pack.ordered
"#;

/// What is changed of a good order, the code, and the field at fault.
const ORDERS: &str = r#"
    {"lines": []}                               | ERR_INVALID_LINE_ITEM      | lines
    {"storeId": "CFR009"}                       | ERR_INVALID_LOCATION       | storeId
    {"storeId": ""}                             | ERR_INVALID_LOCATION       | storeId
    {"storeId": "CFR001\u0000"}                 | ERR_INVALID_LOCATION       | storeId
    {"number": "QC-2026-02-30-000001"}          | ERR_INVALID_ORDER_ID       | number
    {"number": "\u0000"}                        | ERR_INVALID_ORDER_ID       | number
    {"customerId": "a\u0000b"}                  | ERR_INVALID_CUSTOMER       | customerId
    {"paymentMethod": "GOLD"}                   | ERR_INVALID_PAYMENT_METHOD | paymentMethod
    {"alternateOrderId": "\u001b[2J"}           | VAL_001                    | alternateOrderId
    {"contact": {"name": "a\u0000b"}}           | VAL_001                    | contact.name
    {"contact": {"phone": "call me"}}           | VAL_001                    | contact.phone
    {"contact": {"address": {"line1": "\u0000"}}} | VAL_001                  | contact.address.line1
    {"expectedTotal": "169.02"}                 | ERR_TOTAL_MISMATCH         | expectedTotal
    {"expectedTotal": "99999999999999.9999"}    | ERR_TOTAL_MISMATCH         | expectedTotal
    {"promisedAt": "9999-12-31T23:59:59Z"}      | VAL_001                    | promisedAt
    {"capturedAt": "1969-12-31T23:59:59Z"}      | VAL_001                    | capturedAt
    {"fees": [{"kind": "X", "amount": "-5"}]}   | VAL_001                    | fees.0.amount
    {"orderDiscounts": [{"kind": "X", "amount": "-5"}]} | VAL_001            | orderDiscounts.0.amount
"#;

#[tokio::test(flavor = "multi_thread")]
async fn broken_rules_are_problems_with_code_and_path() {
    let world = world().await;
    let line = |[fields, path]: [&str; 2]| {
        let code = if path.starts_with("pack.") {
            "ERR_INVALID_BUNDLE"
        } else {
            "ERR_INVALID_LINE_ITEM"
        };
        (with_line(cell(fields)), code, format!("lines.0.{path}"))
    };
    let order = |[change, code, path]: [&'static str; 3]| (cell(change), code, path.to_owned());
    let mut all: Vec<(Value, &str, String)> = rows(LINES)
        .map(line)
        .chain(rows(ORDERS).map(order))
        .collect();
    let long = "ก".repeat(51);
    all.extend([
        (lines(21), "ERR_INVALID_LINE_ITEM", "lines".to_owned()),
        (lines(3_000), "ERR_INVALID_LINE_ITEM", "lines".to_owned()),
        (
            json!({ "orderType": long }),
            "VAL_001",
            "orderType".to_owned(),
        ),
    ]);
    for (change, code, path) in all {
        let refused = command(&world.admin, "placeOrder", place_input(change)).await;
        let found = problems(&refused);
        let expected = (code.to_owned(), format!("input.{path}"));
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
        assert_eq!(
            (&refused["order"], &refused["receipt"]),
            (&Value::Null, &Value::Null)
        );
    }
    let huge = json!({ "orderDiscounts": [{ "kind": "X", "amount": "99999999999999.9999" }] });
    let refused = command(&world.admin, "placeOrder", place_input(huge)).await;
    assert!(!problems(&refused).is_empty());
    world.assert_nothing_written().await;
}

/// A command on an order at 1000, its fields, the code and the path of its problem.
const COMMANDS: &str = r#"
    allocateOrder  | {"expectedVersion": -1}                   | VERSION_CONFLICT       | input.expectedVersion
    allocateOrder  | {"expectedVersion": 2147483647}           | VERSION_CONFLICT       | input.expectedVersion
    allocateOrder  | {"orderId": "42"}                         | ORD_001                | input.orderId
    allocateOrder  | {"orderId": "\u0000"}                     | ORD_001                | input.orderId
    payOrder       | {"orderId": "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11", "amount": "1"} | ORD_001 | input.orderId
    payOrder       | {"amount": "169.00"}                      | ERR_INVALID_TRANSITION |
    releaseOrder   | {}                                        | ERR_INVALID_TRANSITION |
    recordPicking  | {"status": "PICKED"}                      | ERR_INVALID_TRANSITION |
    recordPicking  | {"status": "DELIVERED"}                   | VAL_001                | input.status
    recordDelivery | {"status": "OPEN"}                        | VAL_001                | input.status
    recordPicking  | {"status": "PICKED", "occurredAt": "1900-01-01T00:00:00Z"} | VAL_001 | input.occurredAt
    recordShipment | {"status": "FULFILLED", "carrier": "\u0000"} | VAL_001             | input.carrier
    recordShipment | {"status": "FULFILLED", "carrier": "X"}   | VAL_001                | input.trackingId
    cancelOrder    | {"reason": ""}                            | VAL_001                | input.reason
    cancelOrder    | {"reason": "a\u0000b"}                    | VAL_001                | input.reason
"#;

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_an_order_are_checked_as_well() {
    let world = world().await;
    let (id, _) = placed(&world.admin, json!({})).await;
    for [field, more, code, path] in rows(COMMANDS) {
        let refused = command(&world.admin, field, input(&id, cell(more))).await;
        let found = problems(&refused);
        let expected = (code.to_owned(), path.to_owned());
        assert!(
            found.contains(&expected),
            "{field} {more}: {expected:?} in {found:?}"
        );
    }
    let long = json!({ "reason": "ก".repeat(501) });
    let refused = command(&world.admin, "cancelOrder", input(&id, long)).await;
    assert_eq!(
        problems(&refused),
        [("VAL_001".into(), "input.reason".into())]
    );
    done(&world.admin, "allocateOrder", input(&id, json!({}))).await;
    for amount in ["168.99", "169.01", "0", "-169.00", "99999999999999.9999"] {
        let pay = input(&id, json!({ "amount": amount }));
        let refused = command(&world.admin, "payOrder", pay).await;
        let mismatch = ("ERR_PAYMENT_AMOUNT_MISMATCH".into(), "input.amount".into());
        assert_eq!(problems(&refused), [mismatch], "{amount}");
    }
    world.assert_unharmed().await;
}

/// A command on something else, its change, the code and the path of its problem.
const OTHERS: &str = r#"
    openStore             | {"storeId": "29"}                                 | VAL_001                | input.storeId
    openStore             | {"storeId": "CFR300", "profile": {"name": "", "region": "R", "zone": "BKK"}} | VAL_001 | input.profile.name
    openStore             | {"storeId": "CFR300", "profile": {"name": "N", "region": "\u0000", "zone": "BKK"}} | VAL_001 | input.profile.region
    openStore             | {"storeId": "CFR300", "profile": {"name": "N", "region": "R", "zone": "BKK", "codLimit": "0"}} | VAL_001 | input.profile.codLimit
    openStore             | {"storeId": "CFR300", "profile": {"name": "N", "region": "R", "zone": "BKK", "opening": "0001-01-01"}} | VAL_001 | input.profile.opening
    openStore             | {}                                                | STORE_EXISTS           |
    changeStore           | {"storeId": "CFR404"}                             | STORE_NOT_FOUND        | input.storeId
    deactivateStore       | {"reason": ""}                                    | VAL_001                | input.reason
    defineBundle          | {"bundleId": "snack"}                             | VAL_001                | input.bundleId
    activateBundle        | {"bundleId": "\u0000"}                            | BUNDLE_NOT_FOUND       | input.bundleId
    retireBundle          | {}                                                | BUNDLE_NOT_FOUND       | input.bundleId
    reportRemittance      | {"partnerId": "grab"}                             | VAL_001                | input.partnerId
    reportRemittance      | {"storeId": "29"}                                 | VAL_001                | input.storeId
    reportRemittance      | {"reportId": ""}                                  | VAL_001                | input.reportId
    reportRemittance      | {"total": "2.00"}                                 | COD_AMOUNT_ACCURACY    | input.total
    reportRemittance      | {"items": [{"reference": "", "amount": "-1"}]}    | VAL_001                | input.items.0.amount
    reportRemittance      | {"expectedVersion": 7}                            | VERSION_CONFLICT       | input.expectedVersion
    closeRemittance       | {}                                                | REMITTANCE_NOT_FOUND   | input.remittanceId
    closeRemittance       | {"remittanceId": "x"}                             | REMITTANCE_NOT_FOUND   | input.remittanceId
    redriveDeadLetter     | {}                                                | DEAD_LETTER_NOT_FOUND  | input.deadLetterId
    forgetCustomer        | {"customerId": "\u0000"}                          | VAL_001                | input.customerId
"#;

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_everything_else_are_checked_as_well() {
    let world = world().await;
    let nobody = "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11";
    for [field, change, code, path] in rows(OTHERS) {
        let input = merged(&good(field, nobody, nobody), cell(change));
        let refused = command(&world.admin, field, input).await;
        let found = problems(&refused);
        let expected = (code.to_owned(), path.to_owned());
        assert!(
            found.contains(&expected),
            "{field} {change}: {expected:?} in {found:?}"
        );
    }
    let component = json!({ "sku": "A", "quantity": "0", "unitPrice": "-1" });
    let wrong = json!({ "components": [component], "pricing": { "percentOff": "0.95" }, "stores": ["CFR001", "CFR001"],
        "schedule": { "weekdays": [8] } });
    let wrong = json!({ "definition": merged(&definition(), wrong) });
    let refused = command(
        &world.admin,
        "defineBundle",
        merged(&good("defineBundle", "", ""), wrong),
    )
    .await;
    let found = problems(&refused);
    for path in [
        "components",
        "components.0.quantity",
        "components.0.unitPrice",
        "pricing",
        "stores",
        "schedule.weekdays",
    ] {
        let expected = (
            "ERR_INVALID_BUNDLE".to_owned(),
            format!("input.definition.{path}"),
        );
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
    world.assert_nothing_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thai_emoji_and_every_other_script_come_back_byte_for_byte() {
    let world = world().await;
    let texts = [
        "น้ำปลาแท้ ตรา \u{e17}\u{e34}\u{e1e}\u{e23}\u{e2a} ๑๒๓",
        "👩\u{200d}👩\u{200d}👧\u{200d}👦 🇹🇭 e\u{301}é",
        "\u{202e}right to left\u{202c} שלום مرحبا",
        "quote \" backslash \\ slash / $$ {{}} '; DROP TABLE events; --",
        "\u{10ffff}\u{fffd}\u{feff}x",
    ];
    for text in texts {
        let contact = json!({ "name": text, "address": { "line1": text, "city": text } });
        let mut more = with_line(json!({ "nameTh": text, "nameEn": text }));
        more["contact"] = contact.clone();
        // An id holds nothing that is not seen; every other text is kept as it came.
        let id: String = text.chars().take(50).collect();
        if domain::ids::check_visible(&id).is_ok() {
            more["customerId"] = id.into();
        }
        let (id, receipt) = placed(&world.admin, more).await;
        let cancelled = done(
            &world.admin,
            "cancelOrder",
            input(&id, json!({ "reason": text })),
        )
        .await;
        assert_ne!(receipt["position"], cancelled["receipt"]["position"]);
        let query = "query($id: ID!, $fresh: Fresh) { order(id: $id, fresh: $fresh) {
            cancelReason lines { nameTh nameEn } contact { name address { line1 city } } history { nodes { data } } } }";
        let fresh = json!({ "minPosition": cancelled["receipt"]["position"], "waitMs": 1000 });
        let order = world
            .admin
            .graphql(query, json!({ "id": id, "fresh": fresh }))
            .await["order"]
            .clone();
        assert_eq!(order["cancelReason"], text);
        assert_eq!(order["lines"], json!([{ "nameTh": text, "nameEn": text }]));
        assert_eq!(order["contact"], contact);
        assert_eq!(order["history"]["nodes"][1]["data"]["reason"], text);
    }
    let raw: Vec<String> = sqlx::query_scalar(
        "select payload::text from events where aggregate_type = 'order' order by position",
    )
    .fetch_all(&world.database.superuser_pool().await)
    .await
    .unwrap();
    assert_eq!(raw.len(), 2 * texts.len());
    assert!(
        raw.iter().all(|payload| !payload.contains("line1")),
        "the contact is sealed"
    );
}
