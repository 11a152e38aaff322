//! JSON Schemas of the values that are written in a form of their own: decimals, identifiers and
//! status codes. The other words derive theirs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    ids::{
        BundleId, CustomerId, IntakeId, OrderId, OrderNumber, PartnerId, RegionId, Sku, StoreId,
    },
    money::{Money, Quantity, Rate},
    order::status::{OrderStatus, PaymentStatus},
    refusal::Code,
    remittance::RemittanceId,
};

/// Four decimals, always written out, 14 digits before the point at most.
const DECIMAL: &str = r"^-?[0-9]{1,14}\.[0-9]{4}$";

macro_rules! written_as {
    ($($name:ident: $schema:expr;)+) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

written_as! {
    Money: text(DECIMAL, "An amount of Thai baht.");
    Quantity: text(DECIMAL, "A quantity, pieces or kilograms.");
    Rate: text(DECIMAL, "A rate: VAT of 7% is 0.0700.");
    StoreId: text("^CFR[0-9]{3}$", "A store.");
    OrderNumber: text("^QC-[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6,12}$", "The number people use.");
    BundleId: text("^[A-Z0-9_-]{1,40}$", "A bundle's definition.");
    PartnerId: text("^[A-Z0-9_-]{1,20}$", "A delivery partner.");
    RemittanceId: text(
        "^[A-Z0-9_-]{1,20}:CFR[0-9]{3}:[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "A remittance: partner, store and Bangkok business day.",
    );
    CustomerId: short_text(50, "A customer, as the channel knows them.");
    Sku: short_text(50, "A stock-keeping unit, usually an EAN-13.");
    RegionId: short_text(20, "A region of stores.");
    // Not the list: rules come, and with them codes.
    Code: text("^[A-Z0-9_]{1,50}$", "A stable code of a rule.");
    OrderId: uuid("An order.");
    IntakeId: uuid("A message that asked for an order.");
    OrderStatus: codes(
        OrderStatus::ALL.iter().map(|status| status.code()).collect(),
        "Where an order or a line stands: the chain's own codes.",
    );
    PaymentStatus: codes(
        PaymentStatus::ALL.iter().map(|status| status.code()).collect(),
        "Where a payment stands: the chain's own codes.",
    );
}

fn text(pattern: &str, description: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "pattern": pattern})
}

fn short_text(max: usize, description: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "minLength": 1, "maxLength": max})
}

fn uuid(description: &str) -> Schema {
    json_schema!({"description": description, "type": "string", "format": "uuid"})
}

fn codes(codes: Vec<u16>, description: &str) -> Schema {
    json_schema!({"description": description, "type": "integer", "enum": codes})
}
