//! From a remittance in which everything agrees, or was resolved, to the orders whose cash it settles.

use domain::{
    order::{Order, OrderCommand, command::CorrectCollection},
    remittance::{ItemOutcome, Remittance, RemittanceCommand, RemittanceStatus, Resolution},
};
use e2e::eventually;

use super::{
    day_end::{DAY, remittance},
    support::World,
};

#[tokio::test]
async fn a_remittance_in_which_everything_agrees_settles_its_orders() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("GRAB", "CFR001", DAY);
    let first = world.collected("CFR001", "GRAB", "62.00", None).await;
    let second = world.collected("CFR001", "GRAB", "30.00", None).await;
    // The partner is early: nothing is compared before the day is over.
    let report = [(first, "169.00"), (second, "105.00")];
    world.report(&id, "R-1", &report).await;
    world.quiet().await;
    assert_eq!(world.remittance_life(&id).await, ["reported"]);
    world.end_day(DAY);
    world.is_at(&id, RemittanceStatus::Closed).await;
    for (order, amount) in report {
        let settled = eventually("settled", || async {
            world.order(order).await.collection.reconciled
        })
        .await;
        assert_eq!(settled.remittance_id, id);
        assert_eq!(settled.outcome, ItemOutcome::Matched);
        assert_eq!(settled.accepted, amount.parse().unwrap());
    }
    world.quiet().await;
    let life = world.remittance_life(&id).await;
    assert_eq!(life, ["reported", "expected", "compared", "closed"]);
    let events = world.life(first).await;
    let settled = events.iter().filter(|e| *e == "cash_reconciled").count();
    assert_eq!(settled, 1);
    assert_eq!(world.rows("process_cash_item").await, 0);
    processes.stop().await;
}

#[tokio::test]
async fn what_differs_waits_for_a_person() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("GRAB", "CFR001", DAY);
    // 393, 328 and 89 expected; 393, 327.50 and nothing reported.
    let full = world.collected("CFR001", "GRAB", "174.00", None).await;
    let less = world.collected("CFR001", "GRAB", "141.50", None).await;
    let none = world.collected("CFR001", "GRAB", "22.00", None).await;
    world.end_day(DAY);
    world.expects(&id, &[full, less, none]).await;
    let report = [(full, "393.00"), (less, "327.50")];
    world.report(&id, "R-1", &report).await;
    world.quiet().await;
    let state = world.remittance(&id).await.unwrap();
    assert_eq!(state.status, RemittanceStatus::Differing);
    assert_eq!(state.summary.variance, "-89.50".parse().unwrap());
    assert!(world.order(full).await.collection.reconciled.is_none());
    for (order, accepted, resolution) in [
        (less, "327.50", Resolution::WrittenOff),
        (none, "89.00", Resolution::PartnerPays),
    ] {
        let command = RemittanceCommand::Resolve {
            reference: world.order(order).await.number.to_string(),
            accepted: accepted.parse().unwrap(),
            resolution,
            reason: "counted again".into(),
        };
        world.tell::<Remittance>(id.clone(), command).await;
    }
    world.quiet().await;
    let state = world.remittance(&id).await.unwrap();
    assert_eq!(
        state.status,
        RemittanceStatus::Matched,
        "a person closes what a person resolved"
    );
    world
        .tell::<Remittance>(id.clone(), RemittanceCommand::Close)
        .await;
    for (order, outcome, accepted) in [
        (full, ItemOutcome::Matched, "393.00"),
        (less, ItemOutcome::Variance, "327.50"),
        (none, ItemOutcome::Missing, "89.00"),
    ] {
        let settled = eventually("settled", || async {
            world.order(order).await.collection.reconciled
        })
        .await;
        assert_eq!(
            (settled.outcome, settled.accepted),
            (outcome, accepted.parse().unwrap())
        );
    }
    processes.stop().await;
}

#[tokio::test]
async fn a_corrected_amount_is_told_again() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("GRAB", "CFR001", DAY);
    let order = world.collected("CFR001", "GRAB", "62.00", None).await;
    let correct = |amount: &str| {
        OrderCommand::CorrectCollection(CorrectCollection {
            amount: amount.parse().unwrap(),
            reason: "miscounted".into(),
        })
    };
    // Before the day is over the corrected amount is what is told ..
    world.tell::<Order>(order, correct("160.00")).await;
    world.end_day(DAY);
    world.expects(&id, &[order]).await;
    assert_eq!(world.expected(&id).await[&order], "160.00".parse().unwrap());
    // .. after it, it is told again, even an amount that was told before.
    for amount in ["150.00", "160.00", "165.00"] {
        world.tell::<Order>(order, correct(amount)).await;
        let amount = amount.parse().unwrap();
        eventually("the corrected amount", || async {
            (world.expected(&id).await[&order] == amount).then_some(())
        })
        .await;
    }
    world.report(&id, "R-1", &[(order, "165.00")]).await;
    world.is_at(&id, RemittanceStatus::Closed).await;
    let settled = eventually("settled", || async {
        world.order(order).await.collection.reconciled
    })
    .await;
    assert_eq!(settled.accepted, "165.00".parse().unwrap());
    processes.stop().await;
}

#[tokio::test]
async fn what_is_extra_settles_no_order() {
    let world = World::open().await;
    let processes = world.program().await;
    let day_of = |partner| remittance(partner, "CFR001", DAY);
    let (grab, pmp) = (day_of("GRAB"), day_of("PMP"));
    let order = world.collected("CFR001", "GRAB", "62.00", None).await;
    world.end_day(DAY);
    world.expects(&grab, &[order]).await;
    // The other partner reports it too.
    world.report(&pmp, "R-1", &[(order, "169.00")]).await;
    world.is_at(&pmp, RemittanceStatus::Differing).await;
    let command = RemittanceCommand::Resolve {
        reference: world.order(order).await.number.to_string(),
        accepted: "0.00".parse().unwrap(),
        resolution: Resolution::Agreed,
        reason: "not theirs".into(),
    };
    world.tell::<Remittance>(pmp.clone(), command).await;
    world
        .tell::<Remittance>(pmp.clone(), RemittanceCommand::Close)
        .await;
    world.quiet().await;
    assert!(world.order(order).await.collection.reconciled.is_none());
    world.report(&grab, "R-2", &[(order, "169.00")]).await;
    world.is_at(&grab, RemittanceStatus::Closed).await;
    let settled = eventually("settled", || async {
        world.order(order).await.collection.reconciled
    })
    .await;
    assert_eq!(settled.remittance_id, grab);
    processes.stop().await;
}
