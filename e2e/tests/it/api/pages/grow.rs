//! What the lists hold, and what comes to them.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{Days, Utc};
use e2e::Api;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{
    good::definition,
    lists::caught_up,
    support::{command, done, input, merged, place_input, placed},
};

/// Items that each list begins with at least.
const ITEMS: usize = 8;

/// What adds to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grows {
    /// Orders.
    Orders,
    /// Definitions of bundles.
    Bundles,
    /// Stores.
    Stores,
    /// Reports of further days.
    Remittances,
    /// Messages that cannot be placed.
    Letters,
    /// Orders that are paid at the door.
    Outstanding,
    /// Corrections of an order's cash.
    Postings,
    /// Changes of an order.
    History,
    /// Reports with more items.
    Items,
    /// It stays as it is.
    Nothing,
}

/// What lists are of.
#[derive(Default)]
pub(super) struct Ids {
    /// An order whose cash is collected and corrected.
    pub(super) sold: String,
    /// An order whose cash is still out.
    pub(super) paid: String,
    /// An order that is changed again and again.
    pub(super) changed: String,
    /// A remittance that is reported again and again.
    pub(super) reported: String,
    /// Another one.
    pub(super) other_reported: String,
}

/// Numbers what comes, so that nothing comes twice.
static COMING: AtomicUsize = AtomicUsize::new(0);

fn next() -> usize {
    COMING.fetch_add(1, Ordering::Relaxed)
}

/// Fills every list.
pub(super) async fn fill(api: &Api) -> Ids {
    let (sold, _) = placed(api, json!({})).await;
    let shipped = json!({ "status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB" });
    for (field, more) in [
        ("allocateOrder", json!({})),
        ("payOrder", json!({ "amount": "169.00" })),
        ("releaseOrder", json!({})),
        ("recordShipment", shipped),
        ("recordDelivery", json!({ "status": "DELIVERED" })),
        (
            "collectCash",
            json!({ "amount": "169.00", "partnerId": "GRAB", "proof": { "photo": "s3://p/1" } }),
        ),
    ] {
        done(api, field, input(&sold, more)).await;
    }
    let paid = owing(api).await;
    let (changed, _) = placed(api, json!({})).await;
    let day = day(1);
    let ids = Ids {
        sold,
        paid,
        changed,
        reported: format!("GRAB:CFR001:{day}"),
        other_reported: format!("GRAB:CFR002:{day}"),
    };
    report(api, "CFR002", &day, 2).await;
    for grows in [
        Grows::Orders,
        Grows::Bundles,
        Grows::Stores,
        Grows::Remittances,
        Grows::Letters,
        Grows::Outstanding,
        Grows::Postings,
        Grows::History,
        Grows::Items,
    ] {
        for _ in 0..ITEMS {
            add(grows, api, &ids).await;
        }
    }
    caught_up(api).await;
    ids
}

/// Adds to a list, and waits until it can be seen.
pub(super) async fn more(grows: Grows, api: &Api, ids: &Ids) {
    add(grows, api, ids).await;
    caught_up(api).await;
}

/// The business day so many days ago.
fn day(ago: u64) -> String {
    (Utc::now().date_naive() - Days::new(ago)).to_string()
}

async fn add(grows: Grows, api: &Api, ids: &Ids) {
    let number = next();
    // Now in front of what is there, now behind it and now in between.
    let name = format!("{}{number}", ["A", "Z", "M"][number % 3]);
    let id = json!({ "commandId": Uuid::now_v7() });
    let with = |more: Value| merged(&id, more);
    match grows {
        Grows::Orders => {
            let price = format!("{}.00", 100 + (number * 7) % 5);
            let line = json!({ "lineNumber": 1, "sku": "8850999220017", "quantity": "1", "unitPrice": price });
            placed(api, json!({ "lines": [line] })).await;
        }
        Grows::Bundles => {
            let mut definition = definition();
            definition["sku"] = json!(format!("885{number:010}"));
            let bundle = json!({ "bundleId": name, "definition": definition });
            done(api, "defineBundle", with(bundle)).await;
        }
        Grows::Stores => {
            let profile = json!({ "name": name, "region": "BKK-CENTRAL", "zone": "BKK" });
            let store = json!({ "storeId": format!("CFR{}", 100 + (number * 389) % 800), "profile": profile });
            done(api, "openStore", with(store)).await;
        }
        Grows::Remittances => {
            let ago = 2 + u64::try_from((number * 7) % 300).unwrap();
            report(api, "CFR001", &day(ago), 1).await;
        }
        Grows::Letters => {
            let mut letter =
                place_input(json!({ "source": "test", "messageId": name, "storeId": "CFR009" }));
            letter.as_object_mut().unwrap().remove("commandId");
            let kept = command(api, "submitOrder", letter).await;
            assert!(kept["deadLetter"]["id"].is_string(), "{kept}");
        }
        Grows::Outstanding => drop(owing(api).await),
        Grows::Postings => {
            let amount = format!("{}.00", 100 + number % 69);
            let correct = json!({ "amount": amount, "reason": "counted again" });
            done(api, "correctCollection", input(&ids.sold, correct)).await;
        }
        Grows::History => {
            let lines = json!([{ "lineNumber": 1, "quantity": (1 + number % 50).to_string() }]);
            let change = json!({ "lines": lines, "reason": "more" });
            done(api, "changeLines", input(&ids.changed, change)).await;
        }
        Grows::Items => {
            let day = ids.reported.rsplit(':').next().unwrap();
            report(api, "CFR001", day, number).await;
        }
        Grows::Nothing => {}
    }
}

/// An order whose cash is to be collected.
async fn owing(api: &Api) -> String {
    let (order, _) = placed(api, json!({})).await;
    done(api, "allocateOrder", input(&order, json!({}))).await;
    done(
        api,
        "payOrder",
        input(&order, json!({ "amount": "169.00" })),
    )
    .await;
    order
}

/// A report of all items with numbers up to this one, as names that do not come in their order.
async fn report(api: &Api, store: &str, day: &str, upto: usize) {
    let reference = |number: usize| format!("{}{number}", ["A", "Z", "M"][number % 3]);
    let item = |number| json!({ "reference": reference(number), "amount": "1.00" });
    let items: Vec<Value> = (0..=upto).map(item).collect();
    let report = json!({ "commandId": Uuid::now_v7(), "partnerId": "GRAB", "storeId": store, "businessDay": day,
        "reportId": format!("R-{}", next()), "items": items });
    done(api, "reportRemittance", report).await;
}
