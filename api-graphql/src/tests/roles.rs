//! Who may give which command, and what stores and dead letters look like to whom.

use domain::actor::Action;
use serde_json::json;
use uuid::Uuid;

use super::{
    fake::{World, place_input},
    life::breakfast,
    talk::{codes, done, give, with},
    *,
};

/// The commands on an order, what each takes beside its ids, and the right it asks for.
pub(super) const ORDER_COMMANDS: &str = r#"
    allocateOrder         | {}                                              | Allocate
    changeLines           | {"lines": [], "reason": "x"}                    | ChangeLines
    payOrder              | {"amount": "1.00"}                              | Pay
    releaseOrder          | {}                                              | Release
    recordPicking         | {"status": "PICKED"}                            | RecordPicking
    reportShort           | {"lines": [], "reason": "x"}                    | ReportShort
    proposeSubstitution   | {"proposalId": "P", "lineNumber": 1, "sku": "S", "unitPrice": "1"} | ReportShort
    decideSubstitution    | {"proposalId": "P", "approve": true}            | DecideSubstitution
    recordShipment        | {"status": "SHIPPED"}                           | RecordShipment
    recordDelivery        | {"status": "DELIVERED"}                         | RecordDelivery
    recordFailedDelivery  | {"reason": "x"}                                 | RecordDelivery
    cancelOrder           | {"reason": ""}                                  | Cancel
    collectCash           | {"amount": "1.00", "partnerId": "GRAB"}         | CollectCash
    failCollection        | {"reason": "x"}                                 | CollectCash
    correctCollection     | {"amount": "1.00", "reason": "x"}               | CorrectCash
    requestReturn         | {"reason": "x"}                                 | RequestReturn
    receiveReturn         | {}                                              | ReceiveReturn
    refundOrder           | {"amount": "1.00"}                              | Refund
"#;

/// The other commands that create nothing.
const OTHER_COMMANDS: &str = r#"
    activateBundle        | {"bundleId": "NONE"}                            | ManageBundles
    retireBundle          | {"bundleId": "NONE", "reason": "x"}             | ManageBundles
    activateStore         | {"storeId": "CFR029"}                           | ManageStores
    deactivateStore       | {"storeId": "CFR029", "reason": "x"}            | ManageStores
    reportRemittance      | {"partnerId": "GRAB", "storeId": "CFR029", "businessDay": "2026-01-31", "reportId": "", "items": []} | ReportRemittance
    disputeRemittanceItem | {"remittanceId": "GRAB:CFR029:2026-01-31", "reference": "x", "reason": "x"} | Reconcile
    resolveRemittanceItem | {"remittanceId": "GRAB:CFR029:2026-01-31", "reference": "x", "accepted": "1", "resolution": "AGREED", "reason": "x"} | Reconcile
    closeRemittance       | {"remittanceId": "GRAB:CFR029:2026-01-31"}      | Reconcile
    receiveRemittanceCash | {"remittanceId": "GRAB:CFR029:2026-01-31", "amount": "1.00"} | Reconcile
    depositCash           | {"remittanceId": "GRAB:CFR029:2026-01-31", "amount": "1.00"} | Reconcile
    redriveDeadLetter     | {"deadLetterId": "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11", "reason": "x"} | Redrive
    dismissDeadLetter     | {"deadLetterId": "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11", "reason": "x"} | Redrive
    forgetCustomer        | {"customerId": "C-404"}                         | ErasePerson
"#;

/// The commands that create something or need much.
const CREATING: [&str; 6] = [
    "placeOrder",
    "submitOrder",
    "defineBundle",
    "reviseBundle",
    "openStore",
    "changeStore",
];

pub(super) fn rows(table: &str) -> impl Iterator<Item = [&str; 3]> {
    let rows = table.lines().filter(|line| !line.trim().is_empty());
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        cells.try_into().unwrap_or_else(|_| panic!("{row}"))
    })
}

fn action(name: &str) -> Action {
    let mut actions = Action::ALL.iter();
    *actions.find(|a| format!("{a:?}") == name).unwrap()
}

/// Everybody who may have a token.
pub(super) fn people() -> impl Iterator<Item = Role> {
    let all = Role::ALL.iter().copied();
    all.filter(|role| *role != Role::System)
}

#[tokio::test]
async fn every_command_is_open_to_exactly_the_roles_that_may() {
    let world = World::new();
    let admin = world.token(Role::Admin, &[]);
    let order = done(&world, &admin, "placeOrder", place_input()).await;
    let order = json!({ "orderId": order["order"]["id"] });
    for role in people() {
        let token = world.token(role, &["CFR029"]);
        let on_order = rows(ORDER_COMMANDS).map(|row| (row, order.clone()));
        let on_others = rows(OTHER_COMMANDS).map(|row| (row, json!({})));
        for ([field, more, name], id) in on_order.chain(on_others) {
            let input = with(id, serde_json::from_str(more).unwrap());
            let payload = give(&world, &token, field, input).await;
            let forbidden = codes(&payload) == ["AUTH_002"];
            assert_eq!(
                forbidden,
                !role.may(action(name)),
                "{field} as {role:?}: {payload}"
            );
        }
    }
}

#[tokio::test]
async fn the_table_holds_every_command() {
    let schema = include_str!("../../schema.graphql");
    let mutations = schema.split("type Mutation {").nth(1).unwrap();
    let fields = mutations.split("\n}").next().unwrap().lines();
    let names = fields.filter_map(|line| Some(line.trim().split_once("(input:")?.0));
    let mut listed: Vec<&str> = rows(ORDER_COMMANDS)
        .chain(rows(OTHER_COMMANDS))
        .map(|[field, ..]| field)
        .chain(CREATING)
        .collect();
    let mut names: Vec<&str> = names.collect();
    listed.sort_unstable();
    names.sort_unstable();
    assert_eq!(listed, names);
}

/// What only the ledger's own processes do has no field.
#[test]
fn the_ledgers_own_commands_are_not_in_the_schema() {
    let schema = include_str!("../../schema.graphql");
    for name in [
        "expire",
        "flagStuck",
        "flagOverdue",
        "reconcileCash",
        "expectRemittance",
        "markPlaced",
    ] {
        assert!(!schema.contains(name), "{name}");
    }
}

#[tokio::test]
async fn commands_that_create_are_open_to_the_roles_that_may() {
    let world = World::new();
    let profile = json!({ "name": "Silom", "region": "BKK", "zone": "BKK", "opening": "2026-01-01", "codLimit": "3000" });
    for role in people() {
        let token = world.token(role, &["CFR029"]);
        let bundle = json!({ "bundleId": "B", "definition": breakfast() });
        let store = json!({ "storeId": "CFR029", "profile": profile });
        let message = with(
            place_input(),
            json!({ "source": "topic", "messageId": format!("{role:?}") }),
        );
        let mut message = message;
        message.as_object_mut().unwrap().remove("commandId");
        let given = [
            (place_input(), Action::Place),
            (message, Action::Place),
            (bundle.clone(), Action::ManageBundles),
            (bundle, Action::ManageBundles),
            (store.clone(), Action::ManageStores),
            (store, Action::ManageStores),
        ];
        for (field, (input, action)) in CREATING.into_iter().zip(given) {
            let payload = give(&world, &token, field, input).await;
            let forbidden = codes(&payload) == ["AUTH_002"];
            assert_eq!(
                forbidden,
                !role.may(action),
                "{field} as {role:?}: {payload}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_that_only_reads_gives_no_command() {
    let world = World::new();
    let reader = world.scoped(Role::Admin, &[], Some("orders:read"));
    for (field, input) in [
        (
            "closeRemittance",
            json!({ "remittanceId": "GRAB:CFR029:2026-01-31" }),
        ),
        ("retireBundle", json!({ "bundleId": "B", "reason": "x" })),
        (
            "redriveDeadLetter",
            json!({ "deadLetterId": Uuid::now_v7(), "reason": "x" }),
        ),
        (
            "dismissDeadLetter",
            json!({ "deadLetterId": Uuid::now_v7(), "reason": "x" }),
        ),
        ("forgetCustomer", json!({ "customerId": "C-1" })),
    ] {
        let payload = give(&world, &reader, field, input).await;
        assert_eq!(codes(&payload), ["AUTH_002"], "{field}");
    }
    let refused = world.fake.refused.lock().unwrap();
    assert_eq!(
        refused.iter().filter(|r| r.reason == "token scope").count(),
        5
    );
}

#[tokio::test]
async fn a_store_is_opened_changed_closed_and_seen_by_its_own() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let profile = json!({ "name": "Silom", "region": "BKK", "zone": "BKK", "opening": "2026-01-01",
        "hours": { "from": 420, "to": 1320 }, "codLimit": "3000" });
    let open = json!({ "storeId": "CFR029", "profile": profile });
    let opened = done(&world, &ops, "openStore", open.clone()).await["store"].clone();
    assert_eq!(
        opened,
        json!({ "id": "CFR029", "version": 1, "isActive": true, "inactiveReason": null, "name": "Silom",
            "region": "BKK", "zone": "BKK", "opening": "2026-01-01", "hours": { "from": 420, "to": 1320 },
            "codLimit": "3000.0000", "autoRelease": true })
    );
    let other = with(
        open,
        json!({ "profile": with(profile.clone(), json!({ "zone": "METRO" })) }),
    );
    assert_eq!(
        codes(&give(&world, &ops, "openStore", other.clone()).await),
        ["STORE_EXISTS"]
    );
    let changed = done(&world, &ops, "changeStore", other).await;
    assert_eq!(changed["store"]["zone"], "METRO");
    let closed = json!({ "storeId": "CFR029", "reason": "flood" });
    let closed = done(&world, &ops, "deactivateStore", closed).await;
    assert_eq!(closed["store"]["inactiveReason"], "flood");
    let refused = give(&world, &ops, "placeOrder", place_input()).await;
    assert_eq!(codes(&refused), ["ERR_INVALID_LOCATION"]);
    done(
        &world,
        &ops,
        "activateStore",
        json!({ "storeId": "CFR029" }),
    )
    .await;
    let wrong = with(
        profile,
        json!({ "region": "", "hours": { "from": 0, "to": 70000 } }),
    );
    let wrong = give(
        &world,
        &ops,
        "openStore",
        json!({ "storeId": "29", "profile": wrong }),
    )
    .await;
    assert_eq!(codes(&wrong), ["VAL_001", "VAL_001", "VAL_001"]);
    let query = "{ store(id: \"CFR029\") { id } stores { edges { node { id } } } }";
    let own = world.token(Role::StoreStaff, &["CFR029"]);
    let seen = world.query_as(&own, query, json!({})).await.json();
    assert_eq!(seen["data"]["store"]["id"], "CFR029");
    let foreign = world.token(Role::StoreStaff, &["CFR001"]);
    let hidden = world.query_as(&foreign, query, json!({})).await.json();
    assert_eq!(
        hidden["data"],
        json!({ "store": null, "stores": { "edges": [] } })
    );
    let answer = give(
        &world,
        &world.token(Role::Ops, &["CFR001"]),
        "activateStore",
        json!({ "storeId": "CFR029" }),
    )
    .await;
    assert_eq!(codes(&answer), ["STORE_NOT_FOUND"]);
}

#[tokio::test]
async fn what_is_refused_again_and_again_in_one_request_is_audited_once() {
    let world = World::new();
    let manager = world.token(Role::StoreManager, &["CFR001"]);
    let board = |n: usize| {
        let store = ["CFR002", "CFR003"][n % 2];
        format!("b{n}: storeBoard(storeIds: [\"{store}\"]) {{ count }} ")
    };
    let query = format!("{{ {} }}", (0..50).map(board).collect::<String>());
    for times in 1..=2 {
        let answer = world.query_as(&manager, &query, json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let refused = world.fake.refused.lock().unwrap().clone();
        let mut targets: Vec<_> = refused.iter().map(|r| r.target.as_str()).collect();
        targets.sort_unstable();
        // Both stores, and again for each request.
        let expected = ["CFR002", "CFR003"].map(|store| vec![store; times]);
        assert_eq!(targets, expected.concat());
    }
}
