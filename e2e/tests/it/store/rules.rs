//! What the database itself enforces: roles, triggers, partitions.

use store::{AppendOptions, Log, StreamId};

use super::db::*;

#[tokio::test]
async fn the_log_crosses_partitions_and_makes_missing_ones() {
    let db = empty_db().await;
    store::migrate::MIGRATOR.run(&db.pool).await.unwrap();
    for _ in 0..2 {
        assert_eq!(db.count("SELECT ledger_create_partitions(10)").await, 11);
    }
    let log = db.log().await;
    // As if the partition ahead had not been made in time.
    let big: String = sqlx::query_scalar(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass \
         ORDER BY 1 DESC LIMIT 1",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    db.run(&format!("DROP TABLE {big}")).await;
    for n in 0..12 {
        let receipt = log.append(append("a", 4 * n, 4)).await.unwrap();
        assert_eq!(receipt.version, 4 * n + 4);
    }
    assert_eq!(
        log.stream(&StreamId::new("order", "a"), 0, 100)
            .await
            .unwrap()
            .len(),
        48
    );
    db.assert_sound(48).await;
    let sql = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass";
    assert_eq!(db.count(sql).await, 2);
}

/// What the service's own role may not do.
const NOT_FOR_THE_SERVICE: &[&str] = &[
    "INSERT INTO events SELECT * FROM events",
    "UPDATE log_head SET position = 0",
    "UPDATE stream_head SET version = 9",
    "INSERT INTO claims VALUES (1, 'number', '2', 'a', gen_random_uuid())",
    "SELECT ledger_create_partitions(1)",
    "DELETE FROM subject_key",
    "UPDATE subject_key SET wrapped = ''",
    "DELETE FROM phone_index",
    "UPDATE phone_index SET subject = ''",
    "INSERT INTO erasure (log_id, subject, destroyed, actor) VALUES (1, 's', '{}', 'a')",
];

#[tokio::test]
async fn nobody_changes_history() {
    let db = fresh_db().await;
    let log = db.log().await;
    let mut command = append("a", 0, 3);
    command.claims = vec![claim("number", "1")];
    log.append(command).await.unwrap();
    let refused = store::audit::RefusedAccess {
        actor: "u",
        role: "viewer",
        action: "read",
        target: "order/a",
        reason: "foreign store",
    };
    store::audit::refused(log.pool(), &refused).await.unwrap();

    let partition = "events_p0000000000000001";
    let tables = [
        "events",
        partition,
        "command_log",
        "claims",
        "access_audit",
        "erasure",
        "seal",
    ];
    let column = |t| match t {
        "access_audit" | "erasure" => "actor",
        "seal" => "key_id",
        _ => "aggregate_id",
    };
    for table in tables {
        for sql in [
            format!("UPDATE {table} SET {} = 'x'", column(table)),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            let error = log.pool().execute(&*sql).await.unwrap_err().to_string();
            assert!(
                error.contains("permission denied"),
                "as the service, {sql}: {error}"
            );
            for mode in ["origin", "replica"] {
                let mut owner = db.pool.acquire().await.unwrap();
                let set = format!("SET session_replication_role = {mode}");
                owner.execute(&*set).await.unwrap();
                let error = owner.execute(&*sql).await.unwrap_err().to_string();
                assert!(
                    error.contains("append-only"),
                    "as the owner, {sql}: {error}"
                );
                owner
                    .execute("RESET session_replication_role")
                    .await
                    .unwrap();
            }
        }
    }
    for sql in NOT_FOR_THE_SERVICE {
        let error = log.pool().execute(*sql).await.unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{sql}: {error}");
    }
    let writer = "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner \
                  WHERE r.rolname = 'ledger_writer'";
    assert_eq!(db.count(writer).await, 0);
    db.assert_sound(3).await;
}

#[tokio::test]
async fn an_owner_without_superuser_can_migrate_several_databases_at_once() {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let options = new_database().await.owner();
        tasks.spawn(async move {
            let pool = pool_with(options, &PoolConfig::default()).await.unwrap();
            assert!(!store::migrate::pending(&pool).await.unwrap().is_empty());
            let (a, b) = tokio::join!(store::migrate::up(&pool), store::migrate::up(&pool));
            a.unwrap();
            b.unwrap();
            assert!(store::migrate::pending(&pool).await.unwrap().is_empty());
            let log = Log::open(pool, LOG, AppendOptions::default())
                .await
                .unwrap();
            log.append(append("a", 0, 1)).await.unwrap();
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn appending_in_another_isolation_level_is_refused() {
    let db = fresh_db().await;
    let options = db
        .options
        .clone()
        .options([("default_transaction_isolation", "repeatable\\ read")]);
    let pool = pool_with(options, &PoolConfig::default()).await.unwrap();
    let log = Log::open(pool, LOG, AppendOptions::default())
        .await
        .unwrap();
    let error = log.append(append("a", 0, 1)).await.unwrap_err();
    assert!(error.to_string().contains("READ COMMITTED"), "{error}");
    db.assert_sound(0).await;
}
