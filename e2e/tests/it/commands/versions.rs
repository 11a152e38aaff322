//! Expected versions, and what two processes see of one order.

use commands::{CommandError, Request, Target};
use domain::order::{Order, OrderCommand, OrderStatus};
use e2e::{
    fresh_database,
    orders::{execute, placed, request, to_delivered},
};
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread")]
async fn of_callers_that_expect_one_version_one_wins() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let order = Target::Entity(placed(&buses[0]).await);
    let racing = (0..20).map(|n| {
        let bus = buses[n % 2].clone();
        let command = Request {
            expected_version: Some(1),
            ..request(order, OrderCommand::Allocate)
        };
        tokio::spawn(async move { bus.execute(command).await })
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(racing)
        .await
        .into_iter()
        .map(Result::unwrap)
        .partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for loser in lost {
        let conflict = CommandError::VersionConflict {
            expected: Some(1),
            actual: 2,
        };
        assert_eq!(loser.unwrap_err(), conflict);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_from_the_future_is_a_conflict_too() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let order = Target::Entity(placed(&bus).await);
    let command = Request {
        expected_version: Some(7),
        ..request(order, OrderCommand::Allocate)
    };
    let conflict = CommandError::VersionConflict {
        expected: Some(7),
        actual: 1,
    };
    assert_eq!(bus.execute(command).await.unwrap_err(), conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_take_turns_on_one_order() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let id = placed(&buses[0]).await;
    let order = Target::Entity(id);
    let mut version = 1;
    for (n, command) in to_delivered().into_iter().enumerate() {
        // Each bus remembers the order as it was two commands ago.
        let outcome = execute(&buses[n % 2], order, command).await.unwrap();
        version += 1;
        assert_eq!(outcome.receipt.version, version);
    }
    for bus in &buses {
        let loaded = bus.load::<Order>(&id).await.unwrap().unwrap();
        assert_eq!(
            (loaded.version, loaded.state.status),
            (version, OrderStatus::Delivered)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_never_given_on_a_state_of_the_past() {
    let database = fresh_database().await.with_stores().await;
    let (one, two) = (database.bus().await, database.bus().await);
    let order = Target::Entity(placed(&one).await);
    // Bus one remembers an order that cannot be paid yet; bus two allocates it.
    execute(&two, order, OrderCommand::Allocate).await.unwrap();
    let paid = execute(&one, order, e2e::orders::paying()).await.unwrap();
    assert_eq!(paid.receipt.version, 3);
}
