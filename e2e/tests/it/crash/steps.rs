//! An order's way from placed to delivered, one mutation a step.

use serde_json::{Value, json};
use uuid::Uuid;

/// A step: the mutation, its input type, and the order's status after it.
pub(super) struct Step {
    pub(super) field: &'static str,
    input: &'static str,
    pub(super) status: i64,
    fields: fn() -> Value,
}

const fn step(
    field: &'static str,
    input: &'static str,
    status: i64,
    fields: fn() -> Value,
) -> Step {
    Step {
        field,
        input,
        status,
        fields,
    }
}

/// Every step in order; the first one places.
pub(super) const STEPS: [Step; 12] = [
    step("placeOrder", "PlaceOrderInput", 1000, placing),
    step("allocateOrder", "OrderCommandInput", 2000, || json!({})),
    step(
        "payOrder",
        "PayOrderInput",
        2000,
        || json!({ "amount": "169.00" }),
    ),
    step("releaseOrder", "OrderCommandInput", 3000, || json!({})),
    step(
        "recordPicking",
        "PickingInput",
        3500,
        || json!({ "status": "IN_PROCESS" }),
    ),
    step(
        "recordPicking",
        "PickingInput",
        3600,
        || json!({ "status": "PICKED" }),
    ),
    step(
        "recordPicking",
        "PickingInput",
        3700,
        || json!({ "status": "PACKED" }),
    ),
    step(
        "recordShipment",
        "ShipmentInput",
        7000,
        || json!({ "status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB" }),
    ),
    step(
        "recordShipment",
        "ShipmentInput",
        7100,
        || json!({ "status": "SHIPPED" }),
    ),
    step(
        "recordDelivery",
        "DeliveryInput",
        7200,
        || json!({ "status": "IN_TRANSIT" }),
    ),
    step(
        "recordDelivery",
        "DeliveryInput",
        7300,
        || json!({ "status": "OUT_FOR_DELIVERY" }),
    ),
    step(
        "recordDelivery",
        "DeliveryInput",
        7500,
        || json!({ "status": "DELIVERED" }),
    ),
];

/// What callers compare: the state as the write side and as the read models show it.
pub(super) const STATE: &str =
    "id number version statusCode paymentStatusCode totals { orderTotal }";

impl Step {
    pub(super) fn query(&self) -> String {
        let Self { field, input, .. } = self;
        format!(
            "mutation M($input: {input}!) {{ {field}(input: $input) {{ order {{ {STATE} }} \
             receipt {{ commandId orderId version position eventIds replayed }} \
             problems {{ code message retryable }} }} }}"
        )
    }

    pub(super) fn variables(&self, command_id: Uuid, order: Option<&str>) -> Value {
        let mut input = (self.fields)();
        input["commandId"] = json!(command_id);
        if let Some(order) = order {
            input["orderId"] = json!(order);
        }
        json!({ "input": input })
    }
}

/// An order of 45.00 + 2 x 62.00 with a reference of its own, for somebody whose contact is sealed.
fn placing() -> Value {
    json!({
        "channel": "GRAB",
        "storeId": "CFR001",
        "isForceAllocation": true,
        "alternateOrderId": Uuid::now_v7().simple().to_string(),
        "contact": { "name": "Somying", "phone": "+66800000042" },
        "lines": [
            { "lineNumber": 1, "sku": "8850999220017", "quantity": "1", "unitPrice": "45.00" },
            { "lineNumber": 2, "sku": "8850999320021", "quantity": "2", "unitPrice": "62.00" },
        ],
    })
}
