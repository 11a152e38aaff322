//! Cash on delivery through the bus: proofs are sealed, and a partner's report finds its orders in the log.

use commands::{CommandBus, Request, Target};
use domain::{
    actor::Role,
    ids::{CustomerId, OrderId},
    order::{
        OrderCommand, OrderEvent,
        command::{CollectCash, PlaceOrder, Proof},
        event::Sealed,
    },
    remittance::{Remittance, RemittanceCommand, RemittanceId, ReportedItemInput},
};
use e2e::{Database, fresh_database, orders::*};

fn proof() -> Proof {
    Proof {
        photo: Some("s3://proofs/hidden-lane.jpg".into()),
        collected_by: Some(" Rider Somsak ".into()),
        ..Proof::default()
    }
}

/// Places an order, takes it to the door and collects its cash.
async fn collected(bus: &CommandBus, place: PlaceOrder) -> OrderId {
    let placing = OrderCommand::Place(Box::new(place));
    let id = execute(bus, Target::New, placing).await.unwrap().receipt.id;
    let cash = OrderCommand::CollectCash(CollectCash {
        amount: "169.00".parse().unwrap(),
        partner_id: "GRAB".into(),
        rider_id: None,
        tracking_id: None,
        collected_at: None,
        proof: Some(proof()),
        discrepancy_reason: None,
    });
    for command in to_delivered().into_iter().chain([cash]) {
        execute(bus, Target::Entity(id), command).await.unwrap();
    }
    id
}

/// The proof that the order's last event holds.
async fn sealed_proof(database: &Database, id: OrderId) -> Sealed {
    let log = database.log().await;
    let stream = commands::load::stream_id::<domain::order::Order>(&id);
    let events = log.stream(&stream, 0, 100).await.unwrap();
    let last = events.last().unwrap();
    let event = domain::decode::decode(&last.event_type, &last.event_version, &last.payload);
    match event.unwrap() {
        OrderEvent::CashCollected(cash) => cash.proof.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_sealed_for_whom_the_order_is_and_erased_with_them() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let customer = PlaceOrder {
        customer_id: Some("C-9".into()),
        contact: Some(contact()),
        ..place()
    };
    for (place, name) in [(place(), None), (customer, Some("customer:C-9"))] {
        let id = collected(&bus, place).await;
        let sealed = sealed_proof(&database, id).await;
        let own = format!("order:{id}");
        assert_eq!(sealed.subject, name.unwrap_or(&own));
        let opened: Proof = database
            .bus()
            .await
            .vault()
            .open(&sealed)
            .await
            .unwrap()
            .unwrap();
        assert!(Some(opened) == proof().normalised());
        let subject = match name {
            Some(_) => commands::personal::Subject::customer(&CustomerId::new("C-9").unwrap()),
            None => commands::personal::Subject::order(id),
        };
        bus.forget(&subject, &admin()).await.unwrap();
        let gone: Option<Proof> = bus.vault().open(&sealed).await.unwrap();
        assert!(gone.is_none());
    }
    let pool = database.superuser_pool().await;
    let clear: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE payload::text LIKE '%hidden%'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(clear, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_names_orders_by_number_or_by_the_partners_own_id() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let known = PlaceOrder {
        alternate_order_id: Some("123456789-C4".into()),
        ..place()
    };
    let by_ref = collected(&bus, known).await;
    let by_number = collected(&bus, place()).await;
    let order = bus.load::<domain::order::Order>(&by_number).await.unwrap();
    let number = order.unwrap().state.number.to_string();
    let item = |reference: &str| ReportedItemInput {
        reference: reference.into(),
        amount: "169.00".parse().unwrap(),
    };
    let id: RemittanceId = "GRAB:CFR001:2026-11-24".parse().unwrap();
    let report = RemittanceCommand::Report {
        report_id: "R-1".into(),
        items: vec![item(" 123456789-C4 "), item(&number), item("nobody's")],
        total: None,
    };
    let by = |stores: &[&str]| Request::<Remittance> {
        actor: actor(Role::Grab, stores),
        ..request_for(Target::Entity(id.clone()), report.clone())
    };
    // Of another store's remittance nobody hears, whether it exists or not.
    let foreign = || async { bus.execute(by(&["CFR002"])).await.unwrap_err().outcome() };
    assert_eq!(foreign().await, "not_found");
    let reported = bus.execute(by(&["CFR001"])).await.unwrap();
    assert_eq!(foreign().await, "not_found");
    let items = reported.entity.state.reported.clone().unwrap();
    let orders: Vec<Option<OrderId>> = items.iter().map(|item| item.order_id).collect();
    assert_eq!(orders, [Some(by_ref), Some(by_number), None]);
    assert_eq!(
        reported.entity.state.region.as_ref().unwrap().as_str(),
        "BKK-CENTRAL"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_speaks_of_its_own_cash() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let placing = OrderCommand::Place(Box::new(place()));
    let placed = execute(&bus, Target::New, placing).await.unwrap();
    let order = placed.receipt.id;
    for command in to_delivered() {
        execute(&bus, Target::Entity(order), command).await.unwrap();
    }
    let collect = |role, partner: &str| {
        let cash = CollectCash {
            amount: "169.00".parse().unwrap(),
            partner_id: partner.into(),
            rider_id: None,
            tracking_id: None,
            collected_at: None,
            proof: Some(proof()),
            discrepancy_reason: None,
        };
        Request {
            actor: actor(role, &[]),
            ..request(Target::Entity(order), OrderCommand::CollectCash(cash))
        }
    };
    let report = |role, id: &str| Request::<Remittance> {
        actor: actor(role, &[]),
        ..request_for(
            Target::Entity(id.parse().unwrap()),
            RemittanceCommand::Report {
                report_id: "R-1".into(),
                items: Vec::new(),
                total: None,
            },
        )
    };
    let (ours, theirs) = ("GRAB:CFR001:2026-11-24", "PMP:CFR001:2026-11-24");
    let error = bus.execute(collect(Role::Grab, " PMP ")).await.unwrap_err();
    assert!(error.to_string().contains("partner PMP"), "{error}");
    let mut outcomes = vec![error.outcome()];
    for (role, id) in [(Role::Grab, theirs), (Role::Pmp, ours)] {
        outcomes.push(bus.execute(report(role, id)).await.unwrap_err().outcome());
    }
    assert_eq!(outcomes, ["forbidden"; 3]);
    let audited: i64 =
        sqlx::query_scalar("SELECT count(*) FROM access_audit WHERE reason = 'partner'")
            .fetch_one(&database.superuser_pool().await)
            .await
            .unwrap();
    assert_eq!(audited, 3);
    // The platform passes on what Grab's riders took; each accounts for its own.
    bus.execute(collect(Role::Pmp, "GRAB")).await.unwrap();
    bus.execute(report(Role::Grab, ours)).await.unwrap();
    bus.execute(report(Role::Pmp, theirs)).await.unwrap();
}
