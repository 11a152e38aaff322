//! What must be unique in the whole log: order numbers and partners' references.

use commands::{CommandError, Target};
use domain::order::{OrderCommand, command::PlaceOrder};
use e2e::{
    fresh_database,
    orders::{execute, place},
};

fn placing(change: impl FnOnce(&mut PlaceOrder)) -> OrderCommand {
    let mut order = place();
    change(&mut order);
    OrderCommand::Place(Box::new(order))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partners_reference_belongs_to_one_order() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let first = placing(|o| o.alternate_order_id = Some("123456789-C4".into()));
    let holder = execute(&bus, Target::New, first.clone())
        .await
        .unwrap()
        .receipt;

    // The same message again, under another command id: acknowledged with the first receipt.
    let again = execute(&bus, Target::New, first).await.unwrap().receipt;
    assert!(again.replayed);
    assert_eq!((again.id, again.position), (holder.id, holder.position));

    // And where only blanks around the reference tell the two apart.
    let padded = placing(|o| o.alternate_order_id = Some(" 123456789-C4 ".into()));
    let again = execute(&bus, Target::New, padded).await.unwrap().receipt;
    assert!(again.replayed);
    assert_eq!(again.id, holder.id);

    // Another order under the same reference.
    let other = placing(|o| {
        o.alternate_order_id = Some("123456789-C4".into());
        o.store_id = "CFR002".into();
    });
    match execute(&bus, Target::New, other).await.unwrap_err() {
        CommandError::OrderExists {
            holder: id,
            scope,
            value,
        } => {
            assert_eq!(
                (id.unwrap().as_str(), scope.as_str(), value.as_str()),
                (holder.id.to_string().as_str(), "ref:GRAB", "123456789-C4")
            );
        }
        error => panic!("{error}"),
    }

    // The same text from another system is another reference.
    let web = placing(|o| {
        o.alternate_order_id = Some("123456789-C4".into());
        o.channel = "WEB".into();
    });
    assert!(
        !execute(&bus, Target::New, web)
            .await
            .unwrap()
            .receipt
            .replayed
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawn_number_that_a_caller_took_before_is_passed_over() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let drawn = execute(&bus, Target::New, placing(|_| {}))
        .await
        .unwrap()
        .entity
        .state
        .number
        .clone();
    let (day, count) = drawn.as_str().rsplit_once('-').unwrap();
    let next = format!("{day}-{:06}", count.parse::<u32>().unwrap() + 1);
    execute(
        &bus,
        Target::New,
        placing(|o| o.number = Some(next.clone())),
    )
    .await
    .unwrap();
    let after = execute(&bus, Target::New, placing(|_| {}))
        .await
        .unwrap()
        .entity
        .state
        .number
        .clone();
    assert_eq!(
        after.as_str(),
        format!("{day}-{:06}", count.parse::<u32>().unwrap() + 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_unique_over_processes() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let mut numbers = std::collections::BTreeSet::new();
    for n in 0..40 {
        let placed = execute(&buses[n % 2], Target::New, placing(|_| {}))
            .await
            .unwrap();
        assert!(numbers.insert(placed.entity.state.number.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_brought_numbers_holds_up_nobody() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let drawn = execute(&bus, Target::New, placing(|_| {})).await.unwrap();
    let number = drawn.entity.state.number.to_string();
    let (day, count) = number.rsplit_once('-').unwrap();
    let count: u32 = count.parse().unwrap();
    for n in count + 1..=count + 20 {
        let brought = placing(|o| o.number = Some(format!("{day}-{n:06}")));
        execute(&bus, Target::New, brought).await.unwrap();
    }
    for _ in 0..5 {
        let placed = execute(&bus, Target::New, placing(|_| {})).await.unwrap();
        assert!(!placed.receipt.replayed);
    }
}
