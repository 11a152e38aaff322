//! Stores and bundles are aggregates like orders: opened once, changed by who may, and seen by the next order.

use commands::{CommandBus, CommandError, Receipt, Request, Target};
use domain::{
    actor::{Action, Role},
    bundle::{Bundle, BundleCommand, BundleId},
    ids::{CommandId, StoreId},
    refusal::Code,
    store::{Store, StoreCommand},
};
use e2e::{
    Database, STORE_EVENTS, bundles::definition, fresh_database, orders::*, stores::profile,
};
use futures_util::future::join_all;
use store::verify;
use uuid::Uuid;

fn store(id: &str) -> StoreId {
    StoreId::new(id).unwrap()
}

fn lunch() -> BundleId {
    BundleId::new("LUNCH").unwrap()
}

fn refused_for(error: CommandError) -> Code {
    match error {
        CommandError::Refused(refusal) => refusal.problems[0].code,
        other => panic!("{other}"),
    }
}

async fn define(bus: &CommandBus, price: &str) -> Receipt<BundleId> {
    let definition = definition(price);
    execute_on::<Bundle>(bus, lunch(), BundleCommand::Define { definition })
        .await
        .unwrap()
        .receipt
}

/// The total of an order at the counter: a marketplace would bring its own prices.
async fn total(bus: &CommandBus) -> String {
    let mut order = place();
    order.channel = "STORE".into();
    let placing = domain::order::OrderCommand::Place(Box::new(order));
    let placed = execute(bus, Target::New, placing).await.unwrap();
    placed.entity.state.totals.order_total.to_string()
}

async fn assert_sound(database: &Database) {
    let log = database.log().await;
    let options = verify::Options::default();
    let report = verify::verify(log.pool(), log.log_id(), &options, |_, _| {})
        .await
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_open_a_store_one_wins_and_its_twins_agree() {
    let database = fresh_database().await;
    let buses = [database.bus().await, database.bus().await];
    let racing = (0..20).map(|n| {
        let bus = buses[n % 2].clone();
        let profile = profile(if n % 4 < 2 { "Silom" } else { "Sathorn" });
        tokio::spawn(async move {
            execute_on::<Store>(&bus, store("CFR005"), StoreCommand::Open { profile }).await
        })
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(racing)
        .await
        .into_iter()
        .map(Result::unwrap)
        .partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (10, 10));
    let wrote = won
        .iter()
        .filter(|o| !o.as_ref().unwrap().receipt.event_ids.is_empty());
    assert_eq!(wrote.count(), 1, "the others found it done");
    for error in lost {
        assert_eq!(refused_for(error.unwrap_err()), Code::StoreExists);
    }
    for bus in &buses {
        let loaded = bus.load::<Store>(&store("CFR005")).await.unwrap().unwrap();
        assert_eq!((loaded.version, loaded.state.active), (1, true));
    }
    assert_sound(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_store_holds_for_the_next_order() {
    let database = fresh_database().await.with_stores().await;
    let (one, two) = (database.bus().await, database.bus().await);
    placed(&one).await;
    let reason = "flooded".to_owned();
    let close = StoreCommand::Deactivate { reason };
    execute_on::<Store>(&one, store("CFR001"), close)
        .await
        .unwrap();
    let error = execute(&one, Target::New, placing()).await.unwrap_err();
    assert_eq!(refused_for(error), Code::ErrInvalidLocation);

    // A store that another process opened is found as soon as somebody asks for it.
    let mut order = place();
    order.store_id = "CFR010".into();
    let placing = domain::order::OrderCommand::Place(Box::new(order));
    let error = execute(&two, Target::New, placing.clone())
        .await
        .unwrap_err();
    assert_eq!(refused_for(error), Code::ErrInvalidLocation);
    e2e::stores::open(&one, "CFR010", profile("New")).await;
    execute(&two, Target::New, placing).await.unwrap();
    let region = profile("New").region;
    let stores = two.stores().in_region(&region);
    assert_eq!(stores.last(), Some(&store("CFR010")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_sold_under_the_bundle_as_it_is_then() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    assert_eq!(total(&bus).await, "169.0000");
    let first = define(&bus, "139.00").await;
    assert_eq!((first.version, first.position.0), (1, STORE_EVENTS + 2));
    assert_eq!(
        total(&bus).await,
        "139.0000",
        "this process sees it at once"
    );
    let definition = definition("149.00");
    let revise = BundleCommand::Revise { definition };
    let revised = execute_on::<Bundle>(&bus, lunch(), revise).await.unwrap();
    assert_eq!(revised.entity.state.version, 2);
    assert_eq!(total(&bus).await, "149.0000");
    // Another process reads it from the log.
    assert_eq!(total(&database.bus().await).await, "149.0000");
    let reason = "sold out".to_owned();
    let retire = BundleCommand::Retire { reason };
    execute_on::<Bundle>(&bus, lunch(), retire).await.unwrap();
    assert_eq!(total(&bus).await, "169.0000");
    assert_sound(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_defined_is_not_found() {
    let database = fresh_database().await;
    let bus = database.bus().await;
    let error = execute_on::<Bundle>(&bus, lunch(), BundleCommand::Activate).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "bundle LUNCH is not known; check the id"
    );
    let error = execute_on::<Store>(&bus, store("CFR001"), StoreCommand::Activate).await;
    let unknown = CommandError::not_found::<Store>(&store("CFR001"));
    assert_eq!(error.unwrap_err(), unknown);
    let definition = definition("139.00");
    let nameless = request_for::<Bundle>(Target::New, BundleCommand::Define { definition });
    let error = bus.execute(nameless).await.unwrap_err();
    assert!(matches!(error, CommandError::Internal(_)), "{error}");
    assert_eq!(database.log().await.head().await.unwrap().position.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expected_version_of_zero_means_that_it_must_be_new() {
    let database = fresh_database().await;
    let bus = database.bus().await;
    let new = |price: &str| Request::<Bundle> {
        expected_version: Some(0),
        ..request_for(
            Target::Entity(lunch()),
            BundleCommand::Define {
                definition: definition(price),
            },
        )
    };
    bus.execute(new("139.00")).await.unwrap();
    let conflict = CommandError::VersionConflict {
        expected: Some(0),
        actual: 1,
    };
    assert_eq!(bus.execute(new("139.00")).await.unwrap_err(), conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_id_is_for_one_kind() {
    let database = fresh_database().await;
    let bus = database.bus().await;
    // A bundle and a store of one name, and a command that reads alike.
    let bundle = BundleId::new("CFR001").unwrap();
    let definition = definition("139.00");
    execute_on::<Bundle>(&bus, bundle.clone(), BundleCommand::Define { definition })
        .await
        .unwrap();
    e2e::stores::open(&bus, "CFR001", profile("Silom")).await;
    let reason = "over".to_owned();
    let command_id = CommandId(Uuid::now_v7());
    let retire = BundleCommand::Retire {
        reason: reason.clone(),
    };
    let retire = Request::<Bundle> {
        command_id,
        ..request_for(Target::Entity(bundle), retire)
    };
    bus.execute(retire.clone()).await.unwrap();
    assert!(bus.execute(retire).await.unwrap().receipt.replayed);
    let other = Request::<Store> {
        command_id,
        ..request_for(
            Target::Entity(store("CFR001")),
            StoreCommand::Deactivate { reason },
        )
    };
    assert_eq!(
        bus.execute(other).await.unwrap_err(),
        CommandError::CommandReused
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_bound_to_a_store_changes_neither_another_one_nor_the_chain() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let ops = actor(Role::Ops, &["CFR001"]);
    let close = |id: &str| {
        let reason = "flooded".to_owned();
        let command = StoreCommand::Deactivate { reason };
        Request::<Store> {
            actor: ops.clone(),
            ..request_for(Target::Entity(store(id)), command)
        }
    };
    bus.execute(close("CFR001")).await.unwrap();
    for foreign in ["CFR002", "CFR777"] {
        let error = bus.execute(close(foreign)).await.unwrap_err();
        assert_eq!(error, CommandError::not_found::<Store>(&store(foreign)));
    }
    let definition = definition("139.00");
    let define = Request::<Bundle> {
        actor: ops,
        ..request_for(
            Target::Entity(lunch()),
            BundleCommand::Define { definition },
        )
    };
    let forbidden = CommandError::Forbidden {
        action: Action::ManageBundles,
    };
    assert_eq!(bus.execute(define).await.unwrap_err(), forbidden);
    let pool = database.superuser_pool().await;
    let audited: Vec<(String, String, String)> =
        sqlx::query_as("SELECT action, target, reason FROM access_audit ORDER BY id")
            .fetch_all(&pool)
            .await
            .unwrap();
    let row = |action: &str, target: &str| (action.into(), target.into(), "store".into());
    assert_eq!(
        audited,
        [
            row("manage-stores", "CFR002"),
            row("manage-bundles", "LUNCH")
        ]
    );
}
