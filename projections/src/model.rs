//! The list of read models.

use std::fmt;

use sqlx::PgConnection;

use crate::{
    decode::{OrderRecord, Poison},
    order_view, store_board,
};

/// A read model. A new one: its folder, its tables, one variant here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Model {
    /// [`order_view`]: orders to list, filter and sort, their references and histories.
    OrderView,
    /// [`store_board`]: orders by store and status.
    StoreBoard,
}

impl Model {
    /// Every read model.
    pub const ALL: [Self; 2] = [Self::OrderView, Self::StoreBoard];

    /// Its name: the checkpoint's key and the metrics' label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderView => "order_view",
            Self::StoreBoard => "store_board",
        }
    }

    /// Applies a page of events inside the caller's transaction.
    pub(crate) async fn apply(
        self,
        conn: &mut PgConnection,
        page: &[OrderRecord<'_>],
    ) -> Result<(), ApplyError> {
        match self {
            Self::OrderView => order_view::apply(conn, page).await,
            Self::StoreBoard => store_board::apply(conn, page).await,
        }
    }

    /// The statement that empties its tables.
    pub(crate) const fn truncate(self) -> &'static str {
        match self {
            Self::OrderView => "truncate order_view, order_ref, order_history",
            Self::StoreBoard => "truncate store_board, store_board_order",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a page could not be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error(transparent)]
    Poison(#[from] Poison),
    #[error("an order's state does not serialise: {0}")]
    Encode(serde_json::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl ApplyError {
    /// Whether the same page would fail again: the content is wrong, not the moment.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::Poison(_) | Self::Encode(_) => true,
            // 22: data, 23: constraints.
            Self::Database(sqlx::Error::Database(error)) => error
                .code()
                .is_some_and(|code| code.starts_with("22") || code.starts_with("23")),
            Self::Database(error) => {
                matches!(
                    error,
                    sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
                )
            }
        }
    }

    /// What a person may read of it: constraint and class, never the row's content.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Database(sqlx::Error::Database(error)) => format!(
                "the database refuses its rows: error {}, constraint {}",
                error.code().unwrap_or_default(),
                error.constraint().unwrap_or("none"),
            ),
            other => other.to_string(),
        }
    }
}
