//! A good input for every command.

use std::sync::LazyLock;

use chrono::{Days, Utc};
use domain::calendar::business_day;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{cell, merged, place_input, rows};

/// Every command, what it is about, and what else it takes.
const INPUTS: &str = r#"
    placeOrder            | new        | {}
    allocateOrder         | order      | {}
    changeLines           | order      | {"lines": [{"lineNumber": 1, "quantity": "2"}], "reason": "one more"}
    payOrder              | order      | {"amount": "169.00"}
    releaseOrder          | order      | {}
    recordPicking         | order      | {"status": "PICKED"}
    reportShort           | order      | {"lines": [{"lineNumber": 1, "quantity": "0"}], "reason": "none left"}
    proposeSubstitution   | order      | {"proposalId": "P", "lineNumber": 1, "sku": "8850000000110", "unitPrice": "46.00"}
    decideSubstitution    | order      | {"proposalId": "P", "approve": true}
    recordShipment        | order      | {"status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB"}
    recordDelivery        | order      | {"status": "DELIVERED"}
    recordFailedDelivery  | order      | {"reason": "nobody there"}
    cancelOrder           | order      | {"reason": "changed"}
    collectCash           | order      | {"amount": "169.00", "partnerId": "GRAB", "proof": {"photo": "s3://p/1"}}
    failCollection        | order      | {"reason": "no cash"}
    correctCollection     | order      | {"amount": "169.00", "reason": "counted again"}
    requestReturn         | order      | {"reason": "cold"}
    receiveReturn         | order      | {}
    refundOrder           | order      | {"amount": "1.00"}
    defineBundle          | bundle     | {"definition": {}}
    reviseBundle          | bundle     | {"definition": {}}
    activateBundle        | bundle     | {}
    retireBundle          | bundle     | {"reason": "season over"}
    openStore             | store      | {"profile": {"name": "Silom", "region": "BKK-CENTRAL", "zone": "BKK"}}
    changeStore           | store      | {"profile": {"name": "Silom", "region": "BKK-CENTRAL", "zone": "BKK"}}
    activateStore         | store      | {}
    deactivateStore       | store      | {"reason": "flood"}
    reportRemittance      | report     | {"reportId": "R-1", "items": [{"reference": "x", "amount": "1.00"}]}
    disputeRemittanceItem | remittance | {"reference": "x", "reason": "the photo shows more"}
    resolveRemittanceItem | remittance | {"reference": "x", "accepted": "1", "resolution": "AGREED", "reason": "called"}
    closeRemittance       | remittance | {}
    receiveRemittanceCash | remittance | {"amount": "1.00"}
    depositCash           | remittance | {"amount": "1.00"}
    submitOrder           | message    | {}
    redriveDeadLetter     | letter     | {"reason": "mended"}
    dismissDeadLetter     | letter     | {"reason": "a test"}
    forgetCustomer        | person     | {}
"#;

/// The remittance that inputs are about: that of the day before, which is over.
pub(super) static REMITTANCE: LazyLock<String> = LazyLock::new(|| {
    let yesterday = business_day(Utc::now()) - Days::new(1);
    format!("GRAB:CFR001:{yesterday}")
});

/// The business day of [`REMITTANCE`].
pub(super) fn yesterday() -> &'static str {
    REMITTANCE.rsplit(':').next().unwrap_or_default()
}

/// The name of every command.
pub(super) fn fields() -> Vec<&'static str> {
    rows(INPUTS).map(|[field, ..]: [&str; 3]| field).collect()
}

/// What a command is about.
pub(super) fn kind(field: &str) -> &'static str {
    let mut all = rows(INPUTS);
    let found = all.find(|[name, ..]: &[&str; 3]| *name == field);
    found.unwrap_or_else(|| panic!("{field} is no command"))[1]
}

/// What a good bundle is.
pub(super) fn definition() -> Value {
    let component = |sku: &str| json!({ "sku": sku, "quantity": "1", "unitPrice": "45.00" });
    json!({ "sku": "8850999000001", "nameEn": "Snack", "kind": "SNACK_PACK", "pricing": { "fixedPrice": "80.00" },
        "components": [component("8850999220017"), component("8850000000110")] })
}

/// A good input, under a new command id where there is one.
pub(super) fn good(field: &str, order: &str, letter: &str) -> Value {
    let mut all = rows(INPUTS);
    let [_, kind, more] = all.find(|[name, ..]: &[&str; 3]| *name == field).unwrap();
    let id = json!({ "commandId": Uuid::now_v7() });
    let mut input = match kind {
        "new" => place_input(json!({})),
        "message" => place_input(json!({ "source": "test", "messageId": Uuid::now_v7() })),
        "order" => merged(&id, json!({ "orderId": order })),
        "bundle" => merged(&id, json!({ "bundleId": "SNACK" })),
        "store" => merged(&id, json!({ "storeId": "CFR001" })),
        "report" => {
            let of =
                json!({ "partnerId": "GRAB", "storeId": "CFR001", "businessDay": yesterday() });
            merged(&id, of)
        }
        "remittance" => merged(&id, json!({ "remittanceId": *REMITTANCE })),
        "letter" => merged(&id, json!({ "deadLetterId": letter })),
        _ => json!({ "customerId": "C-404" }),
    };
    if kind == "message" {
        input.as_object_mut().unwrap().remove("commandId");
    }
    let mut input = merged(&input, cell(more));
    if input.get("definition").is_some() {
        input["definition"] = definition();
    }
    input
}
