//! No figure is looked for in all of a table.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    actor::StoreScope,
    ids::{BundleId, PartnerId, RegionId},
};
use projections::metrics::{
    MetricsFilter, Span, bundle_sales,
    partner::{self, PartnerBy},
    regional::{self, FlowBy},
    step_timings::{self, TimingBy},
};

use super::support::{TestDb, fresh_db, store_id};

/// Rows of 25 stores over 400 days: what follows the key's store, day and region, and one for each measure.
async fn fill(db: &TestDb, table: &str, rest: &str, measures: usize) {
    let ones = ", 1".repeat(measures);
    let sql = format!(
        "insert into {table} select 'CFR' || lpad(s::text, 3, '0'), date '2026-01-01' + d, 'R' || s % 5{rest}{ones} \
         from generate_series(1, 25) as s, generate_series(0, 399) as d, generate_series(0, 1) as n"
    );
    sqlx::query(&sql).execute(&db.pool).await.unwrap();
}

async fn filled() -> TestDb {
    let db = fresh_db().await;
    sqlx::query(
        "insert into metrics_hour select 'CFR' || lpad(s::text, 3, '0'), timestamptz '2026-01-01' + h * interval '1 hour', \
         'R' || s % 5, 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 \
         from generate_series(1, 25) as s, generate_series(0, 1999) as h",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    fill(&db, "metrics_day", " || n", 24).await;
    fill(&db, "metrics_bundle", ", 'B' || n", 8).await;
    fill(&db, "metrics_component", ", 'B' || n, 'S'", 2).await;
    fill(&db, "metrics_basket", " || n", 6).await;
    fill(&db, "metrics_partner", ", (array['GRAB','PMP'])[n + 1]", 12).await;
    fill(&db, "metrics_stage", ", 'ride', '', n", 2).await;
    fill(&db, "metrics_step", ", 'pay', n", 3).await;
    sqlx::query(
        "vacuum analyze metrics_hour, metrics_day, metrics_bundle, metrics_component, metrics_basket, metrics_partner, \
         metrics_stage, metrics_step",
    )
    .execute(&db.admin)
    .await
    .unwrap();
    db
}

fn filters(span: Span) -> Vec<MetricsFilter> {
    let base = MetricsFilter::within(StoreScope::All, span);
    vec![
        base.clone(),
        MetricsFilter {
            region: RegionId::new("R2").ok(),
            ..base.clone()
        },
        MetricsFilter {
            stores: Some(vec![store_id(7), store_id(9)]),
            ..base
        },
        MetricsFilter::within(StoreScope::Only(vec![store_id(7)]), span),
        MetricsFilter::within(StoreScope::Only(Vec::new()), span),
    ]
}

fn assert_no_scan(plan: &[String], asked: &dyn std::fmt::Debug) {
    assert!(!plan.is_empty());
    // What stands below a condition that nothing meets is never begun.
    let is_begun = |line: &&String| !line.contains("One-Time Filter: false");
    let scan = plan
        .iter()
        .take_while(is_begun)
        .any(|line| line.contains("Seq Scan on metrics_"));
    assert!(!scan, "{asked:?}:\n{}", plan.join("\n"));
}

#[tokio::test]
async fn no_figure_is_looked_for_in_all_of_a_table() {
    let db = filled().await;
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let days = [
        Span::Days {
            from: day("2026-06-01"),
            to: day("2026-06-01"),
        },
        Span::Days {
            from: day("2026-06-01"),
            to: day("2026-06-30"),
        },
    ];
    let hour = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let hours = Span::Hours {
        from: hour("2026-02-01T17:00:00Z"),
        until: hour("2026-02-08T17:00:00Z"),
    };
    for filter in filters(hours) {
        let plan = regional::explain(&db.db.within(&filter.allowed), &filter, FlowBy::StoreTime)
            .await
            .unwrap();
        assert_no_scan(&plan, &filter);
    }
    let (bundle, grab) = (
        BundleId::new("B1").unwrap(),
        PartnerId::new("GRAB").unwrap(),
    );
    for filter in days.into_iter().flat_map(filters) {
        for by in [FlowBy::Region, FlowBy::Store, FlowBy::StoreTime] {
            let plan = regional::explain(&db.db.within(&filter.allowed), &filter, by)
                .await
                .unwrap();
            assert_no_scan(&plan, &(&filter, by));
        }
        for bundle in [None, Some(&bundle)] {
            let plan = bundle_sales::explain(&db.db.within(&filter.allowed), &filter, bundle)
                .await
                .unwrap();
            assert_no_scan(&plan, &(&filter, bundle));
        }
        for by in [PartnerBy::Total, PartnerBy::Store, PartnerBy::Day] {
            for partner in [None, Some(&grab)] {
                let plan = partner::explain(&db.db.within(&filter.allowed), &filter, by, partner)
                    .await
                    .unwrap();
                assert_no_scan(&plan, &(&filter, by, partner));
            }
        }
        for by in [TimingBy::Total, TimingBy::Store, TimingBy::Day] {
            let plan = step_timings::explain(&db.db.within(&filter.allowed), &filter, by)
                .await
                .unwrap();
            assert_no_scan(&plan, &(&filter, by));
        }
    }
}
