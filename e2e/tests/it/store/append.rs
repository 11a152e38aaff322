//! One caller: receipts, refusals, claims, keys.

use store::{
    AppendError, Position, StreamId, SubjectKey,
    claims::{MAX_HOLDERS, holders},
    keys::{self, StoredKey},
};

use super::db::*;

#[tokio::test]
async fn what_was_appended_is_read_back() {
    let db = fresh_db().await;
    let log = db.log().await;
    let first = append("a", 0, 2);
    let receipt = log.append(first.clone()).await.unwrap();
    assert_eq!((receipt.version, receipt.replayed), (2, false));
    assert_eq!(
        (receipt.first_position, receipt.last_position),
        (Position(1), Position(2))
    );
    log.append(append("b", 0, 1)).await.unwrap();
    let second = append("a", 2, 3);
    log.append(second.clone()).await.unwrap();

    let all = log.page(Position::START, 100).await.unwrap();
    assert_eq!(
        all.iter().map(|e| e.position.0).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(all[1].payload, first.events[1].payload);
    assert_eq!(all[1].metadata, first.events[1].metadata);
    assert_eq!(all[1].prev_hash, all[0].hash);
    assert_eq!(log.head().await.unwrap().hash, all[5].hash);
    let tail = log.stream(&second.stream, 1, 3).await.unwrap();
    assert_eq!(
        tail.iter().map(|e| e.sequence).collect::<Vec<_>>(),
        [2, 3, 4]
    );
    let (hash, again) = log.receipt(first.command_id).await.unwrap().unwrap();
    assert_eq!(hash, first.request_hash);
    assert_eq!(again.event_ids, receipt.event_ids);
    assert_eq!(log.receipt(Uuid::now_v7()).await.unwrap(), None);
    db.assert_sound(6).await;
}

#[tokio::test]
async fn a_command_without_events_is_remembered_and_takes_no_position() {
    let db = fresh_db().await;
    let log = db.log().await;
    log.append(append("a", 0, 2)).await.unwrap();
    log.append(append("b", 0, 1)).await.unwrap();
    let head = log.head().await.unwrap();
    for (stream, version, position) in [("a", 2, 2), ("nobody", 0, 0)] {
        let nothing = append(stream, version, 0);
        let first = log.append(nothing.clone()).await.unwrap();
        assert_eq!((first.version, first.last_position.0), (version, position));
        assert!(first.event_ids.is_empty() && !first.replayed);
        // Whatever happened since.
        log.append(append(stream, version, 1)).await.unwrap();
        let again = log.append(nothing.clone()).await.unwrap();
        assert!(again.replayed && again.event_ids.is_empty());
        assert_eq!((again.version, again.last_position.0), (version, position));
        let mut other = nothing;
        other.request_hash = [8; 32];
        assert_eq!(log.append(other).await, Err(AppendError::CommandReused));
    }
    assert_eq!(log.head().await.unwrap().position.0, head.position.0 + 2);
    let stale = log.append(append("a", 2, 0)).await;
    assert!(matches!(
        stale,
        Err(AppendError::VersionConflict { actual: 3, .. })
    ));
    let mut claiming = append("a", 3, 0);
    claiming.claims = vec![claim("number", "QC-1")];
    assert!(matches!(
        log.append(claiming).await,
        Err(AppendError::Invalid(_))
    ));
    db.assert_sound(5).await;
}

#[tokio::test]
async fn a_repeated_command_gets_its_first_receipt_and_a_reused_id_is_an_error() {
    let db = fresh_db().await;
    let log = db.log().await;
    let command = append("a", 0, 2);
    let first = log.append(command.clone()).await.unwrap();
    log.append(append("a", 2, 1)).await.unwrap();
    let again = log.append(command.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(
        store::Receipt {
            replayed: false,
            ..again
        },
        first
    );
    let mut other = command;
    other.request_hash = [8; 32];
    assert_eq!(log.append(other).await, Err(AppendError::CommandReused));
    db.assert_sound(3).await;
}

#[tokio::test]
async fn a_refused_command_takes_no_position_and_keeps_its_id() {
    let db = fresh_db().await;
    let log = db.log().await;
    log.append(append("a", 0, 2)).await.unwrap();
    let mut stale = append("a", 1, 1);
    assert_eq!(
        log.append(stale.clone()).await,
        Err(AppendError::VersionConflict {
            expected: 1,
            actual: 2
        })
    );
    let missing = append("nobody", 3, 1);
    assert_eq!(
        log.append(missing).await,
        Err(AppendError::VersionConflict {
            expected: 3,
            actual: 0
        })
    );
    stale.expected_version = 2;
    let receipt = log.append(stale).await.unwrap();
    assert_eq!(receipt.first_position, Position(3));
    assert!(!receipt.replayed);
    db.assert_sound(3).await;
}

#[tokio::test]
async fn a_refusal_inside_a_batch_leaves_its_mates_alone() {
    let db = fresh_db().await;
    let log = db.log().await;
    log.append(append("taken", 0, 1)).await.unwrap();
    let commands = (0..60).map(|n| {
        // Every third is refused, the very first one of the batch too.
        let stream = if n % 3 == 0 {
            "taken".to_owned()
        } else {
            new_stream()
        };
        (n, append(&stream, 0, 1 + n % 4))
    });
    let mut tasks = tokio::task::JoinSet::new();
    for (n, command) in commands {
        let log = log.clone();
        tasks.spawn(async move { (n, log.append(command).await) });
    }
    let mut events = 1;
    while let Some(result) = tasks.join_next().await {
        let (n, result) = result.unwrap();
        assert_eq!(result.is_ok(), n % 3 != 0, "{n}: {result:?}");
        events += if n % 3 == 0 { 0 } else { 1 + n % 4 };
    }
    db.assert_sound(events).await;
}

#[tokio::test]
async fn a_claim_belongs_to_the_stream_that_made_it_first() {
    let db = fresh_db().await;
    let log = db.log().await;
    let mut first = append("a", 0, 2);
    first.claims = vec![claim("number", "QC-1"), claim("ref:GRAB", "G1")];
    let receipt = log.append(first.clone()).await.unwrap();

    let mut same_request = append("b", 0, 1);
    same_request.claims = vec![claim("number", "QC-2"), claim("ref:GRAB", "G1")];
    let refused = log.append(same_request.clone()).await.unwrap_err();
    let AppendError::ClaimTaken {
        scope,
        value,
        holder,
        holder_receipt,
    } = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((&*scope, &*value, &*holder), ("ref:GRAB", "G1", "a"));
    let holder_receipt = holder_receipt.unwrap();
    assert_eq!(holder_receipt.command_id, first.command_id);
    assert_eq!(holder_receipt.event_ids, receipt.event_ids);

    let mut other_request = same_request;
    other_request.request_hash = [9; 32];
    assert!(matches!(
        log.append(other_request).await,
        Err(AppendError::ClaimTaken {
            holder_receipt: None,
            ..
        })
    ));
    // The refused commands claimed nothing, and a stream may claim its own values again.
    let mut free = append("c", 0, 1);
    free.claims = vec![claim("number", "QC-2")];
    log.append(free).await.unwrap();
    let mut own = append("a", 2, 1);
    own.claims = vec![claim("number", "QC-1")];
    log.append(own).await.unwrap();
    assert_eq!(db.count("SELECT count(*) FROM claims").await, 3);
    db.assert_sound(4).await;
}

#[tokio::test]
async fn a_subject_has_one_key() {
    let db = fresh_db().await;
    let log = db.log().await;
    let key = |wrapped: &[u8]| {
        Some(SubjectKey {
            subject: "customer:1".to_owned(),
            wrapped: wrapped.to_vec(),
            phone: None,
        })
    };
    let mut first = append("a", 0, 1);
    first.subject_key = key(b"one");
    log.append(first).await.unwrap();
    let mut second = append("b", 0, 1);
    second.subject_key = key(b"two");
    assert_eq!(
        log.append(second.clone()).await,
        Err(AppendError::SubjectKeyExists("customer:1".to_owned()))
    );
    second.subject_key = key(b"one");
    log.append(second).await.unwrap();
    let pool = log.pool();
    let name = "customer:1".to_owned();
    assert_eq!(
        keys::get(pool, LOG, std::slice::from_ref(&name))
            .await
            .unwrap(),
        [(name, StoredKey::Wrapped(b"one".to_vec()))]
    );
    db.assert_sound(2).await;
}

#[tokio::test]
async fn a_destroyed_key_comes_back_by_no_append() {
    let db = fresh_db().await;
    let log = db.log().await;
    let pool = log.pool();
    let names = ["customer:1", "customer/2:1"].map(str::to_owned);
    let key = |name: &str, wrapped: &[u8]| {
        Some(SubjectKey {
            subject: name.to_owned(),
            wrapped: wrapped.to_vec(),
            phone: None,
        })
    };
    let mut first = append("a", 0, 1);
    first.subject_key = key(&names[0], b"one");
    log.append(first.clone()).await.unwrap();

    let erasure = keys::forget(pool, LOG, &names, "ops-1").await.unwrap();
    assert_eq!(erasure.destroyed, ["customer:1"]);
    let stored = keys::get(pool, LOG, &names).await.unwrap();
    assert_eq!(stored, [(names[0].clone(), StoredKey::Destroyed)]);
    assert_eq!(keys::any(pool, LOG).await.unwrap(), None);

    // Neither the old key nor another one is stored under the name again; a repeat finds its receipt.
    for wrapped in [b"one", b"two"] {
        let mut late = append("b", 0, 1);
        late.subject_key = key(&names[0], wrapped);
        assert_eq!(
            log.append(late).await,
            Err(AppendError::SubjectKeyExists("customer:1".to_owned()))
        );
    }
    assert!(log.append(first).await.unwrap().replayed);

    let mut next = append("b", 0, 1);
    next.subject_key = key(&names[1], b"two");
    log.append(next).await.unwrap();
    let again = keys::forget(pool, LOG, &names, "ops-2").await.unwrap();
    assert_eq!(again.destroyed, ["customer/2:1"]);
    let nothing = keys::forget(pool, LOG, &names, "ops-2").await.unwrap();
    assert!(nothing.destroyed.is_empty());
    let kept = "SELECT count(*) FROM erasure WHERE subject = 'customer:1'";
    assert_eq!(db.count(kept).await, 3, "every erasure is kept");
    assert!(keys::forget(pool, LOG, &[], "ops-1").await.is_err());
    assert!(keys::forget(pool, LOG, &names, "").await.is_err());
    db.assert_sound(2).await;
}

#[tokio::test]
async fn the_events_of_one_type_are_read_on_from_a_position() {
    let db = fresh_db().await;
    let log = db.log().await;
    let mut all = Vec::new();
    for n in 0..20 {
        let mut command = append(&format!("CFR{n:03}"), 0, 2);
        if n % 3 == 0 {
            command.stream = StreamId::new("store", format!("CFR{n:03}"));
            let receipt = log.append(command).await.unwrap();
            all.extend([receipt.first_position, receipt.last_position]);
        } else {
            log.append(command).await.unwrap();
        }
    }
    let (mut read, mut after) = (Vec::new(), Position::START);
    loop {
        let page = log.of_type("store", after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.position;
        assert!(page.len() <= 3 && page.iter().all(|e| e.aggregate_type == "store"));
        read.extend(page.iter().map(|e| e.position));
    }
    assert_eq!(read, all);
    assert!(
        log.of_type("bundle", Position::START, 3)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn the_holders_of_many_values_are_found_at_once() {
    let db = fresh_db().await;
    let log = db.log().await;
    for n in 0..3 {
        let mut command = append(&format!("order-{n}"), 0, 1);
        command.claims = vec![claim("number", &format!("QC-{n}")), claim("ref:GRAB", "x")];
        command.claims.truncate(2 - usize::from(n > 0));
        log.append(command).await.unwrap();
    }
    let asked = ["QC-2", "QC-0", "QC-9", "x"];
    let mut found = holders(log.pool(), LOG, "number", &asked).await.unwrap();
    found.sort();
    let held = |value: &str, holder: &str| (value.to_owned(), holder.to_owned());
    assert_eq!(found, [held("QC-0", "order-0"), held("QC-2", "order-2")]);
    let many = vec!["QC-0"; MAX_HOLDERS + 1];
    assert!(holders(log.pool(), LOG, "number", &many).await.is_err());
}

#[tokio::test]
async fn each_holder_is_looked_up_by_itself_in_a_table_that_nobody_has_analysed() {
    let db = fresh_db().await;
    db.run(
        "alter table claims set (autovacuum_enabled = off); \
         insert into claims (log_id, scope, value, aggregate_id, command_id) \
         select 1, 'number', 'QC-' || n, 'order-' || n, gen_random_uuid() from generate_series(1, 5000) as n",
    )
    .await;
    let one = PoolConfig {
        max_connections: 1,
        ..PoolConfig::default()
    };
    let pool = pool_with(db.options.clone(), &one).await.unwrap();
    let values: Vec<String> = (1..=100).map(|n| format!("QC-{n}")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    assert_eq!(
        holders(&pool, LOG, "number", &values).await.unwrap().len(),
        100
    );
    sqlx::query("select pg_stat_force_next_flush()")
        .execute(&pool)
        .await
        .unwrap();
    let read =
        "select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'claims'";
    let read: i64 = sqlx::query_scalar(read).fetch_one(&pool).await.unwrap();
    assert_eq!(read, 100);
}

#[tokio::test]
async fn a_command_that_cannot_be_stored_fails_alone() {
    let db = fresh_db().await;
    let log = db.log().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..80 {
        let mut command = append(&new_stream(), 0, 1);
        match n {
            11 => command.events[0].payload = "{\"a\":".to_owned(),
            40 => command.events[0].payload = "{\"a\":\"\0\"}".to_owned(),
            41 => command.events[0].event_type = "a\0b".to_owned(),
            _ => {}
        }
        let log = log.clone();
        tasks.spawn(async move { (n, log.append(command).await) });
    }
    for (n, result) in tasks.join_all().await {
        if [11, 40, 41].contains(&n) {
            assert!(
                matches!(result, Err(AppendError::Invalid(_))),
                "{n}: {result:?}"
            );
        } else {
            result.unwrap();
        }
    }
    let many = append("e", 0, 257);
    assert!(matches!(
        log.append(many).await,
        Err(AppendError::Invalid(_))
    ));
    db.assert_sound(77).await;
}
