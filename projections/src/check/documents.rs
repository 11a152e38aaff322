//! The models that keep an aggregate whole.

use std::{collections::BTreeMap, marker::PhantomData};

use sqlx::PgConnection;
use store::Position;

use super::{CheckError, CheckReport, compare_counts, count};
use crate::{
    decode::Of,
    document::{self, Document, Row},
};

/// What a model of one kind is compared with.
pub(super) struct Documents<E> {
    pub(super) at: Position,
    rows: i64,
    kind: PhantomData<E>,
}

impl<E: Document> Documents<E> {
    pub(super) const fn new(at: Position) -> Self {
        Self {
            at,
            rows: 0,
            kind: PhantomData,
        }
    }

    pub(super) async fn chunk(
        &mut self,
        conn: &mut PgConnection,
        records: &[Of<'_, E>],
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let mut rows: BTreeMap<String, Row<E>> = BTreeMap::new();
        for record in records.iter().filter(|r| r.recorded.position <= self.at) {
            rows.entry(record.id.to_string())
                .or_insert_with(|| Row::blank(record.id.clone()))
                .advance(record)?;
        }
        self.rows += count(rows.len());
        let ids: Vec<String> = rows.keys().cloned().collect();
        let stored = document::load::<E>(conn, &ids).await?;
        for (id, mut row) in rows {
            // As the database can hold it.
            row.state = serde_json::from_str(&document::document(&row.state)?)?;
            if stored.get(&id) != Some(&row) {
                report.add(E::TABLE, id, "the row differs");
            }
        }
        Ok(())
    }

    pub(super) async fn finish(
        self,
        conn: &mut PgConnection,
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        compare_counts(conn, &[(E::TABLE, self.rows)], report).await
    }
}
