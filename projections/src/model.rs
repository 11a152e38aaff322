//! The list of read models.

use std::fmt;

use domain::{bundle::Bundle, intake::Intake, remittance::Remittance, store::Store};
use sqlx::PgConnection;
use store::LogId;

use crate::{
    cash_ledger,
    decode::{Kind, Poison, Record},
    document, metrics, order_view, store_board,
};

/// A read model. A new one: its folder, its tables, one variant here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Model {
    /// [`order_view`]: orders to list, filter and sort, and their references.
    OrderView,
    /// [`store_board`]: orders by store and status.
    StoreBoard,
    /// [`cash_ledger`]: who has how much of the customers' cash.
    CashLedger,
    /// [`document`]: remittances.
    Remittances,
    /// [`document`]: bundles.
    Bundles,
    /// [`document`]: stores.
    Stores,
    /// [`document`]: messages that asked for an order and could not be placed.
    DeadLetters,
    /// [`metrics`]: sums by region, store and time.
    Metrics,
}

impl Model {
    /// Every read model.
    pub const ALL: [Self; 8] = [
        Self::OrderView,
        Self::StoreBoard,
        Self::CashLedger,
        Self::Remittances,
        Self::Bundles,
        Self::Stores,
        Self::DeadLetters,
        Self::Metrics,
    ];

    /// Its name: the metrics' label, and what `rebuild` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderView => "order_view",
            Self::StoreBoard => "store_board",
            Self::CashLedger => "cash_ledger",
            Self::Remittances => "remittances",
            Self::Bundles => "bundles",
            Self::Stores => "stores",
            Self::DeadLetters => "dead_letters",
            Self::Metrics => "metrics",
        }
    }

    /// The model of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }

    /// The key of its checkpoint: its name, from its second shape on with the shape's number.
    ///
    /// A model whose rows get another shape is another model: the migration that changes its tables empties them and ends the
    /// old key, and the new key starts at the beginning of the log. One that only loses a table goes on where it stands.
    pub const fn checkpoint(self) -> &'static str {
        match self {
            Self::OrderView => "order_view.4",
            Self::StoreBoard => "store_board.2",
            Self::CashLedger => "cash_ledger.2",
            Self::Remittances => "remittances.2",
            first_shape => first_shape.name(),
        }
    }

    /// The kinds of aggregates whose events it is made from; it steps over the others.
    pub(crate) const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::OrderView | Self::StoreBoard | Self::Metrics => &[Kind::Order],
            Self::CashLedger => &[Kind::Order, Kind::Remittance, Kind::Store],
            Self::Remittances => &[Kind::Remittance],
            Self::Bundles => &[Kind::Bundle],
            Self::Stores => &[Kind::Store],
            Self::DeadLetters => &[Kind::Intake],
        }
    }

    /// Applies a page of events of its kinds inside the caller's transaction.
    pub(crate) async fn apply(
        self,
        conn: &mut PgConnection,
        log: LogId,
        page: &[Record<'_>],
    ) -> Result<(), ApplyError> {
        match self {
            Self::OrderView => order_view::apply(conn, page).await,
            Self::StoreBoard => store_board::apply(conn, page).await,
            Self::CashLedger => cash_ledger::apply(conn, log, page).await,
            Self::Remittances => document::apply::<Remittance>(conn, page).await,
            Self::Bundles => document::apply::<Bundle>(conn, page).await,
            Self::Stores => document::apply::<Store>(conn, page).await,
            Self::DeadLetters => document::apply::<Intake>(conn, page).await,
            Self::Metrics => metrics::apply(conn, page).await,
        }
    }

    /// Its tables.
    pub(crate) const fn tables(self) -> &'static [Table] {
        match self {
            Self::OrderView => {
                const {
                    &[
                        Table::new("order_view", "order_id"),
                        Table::new("order_ref", "system, reference").added_to(),
                    ]
                }
            }
            Self::StoreBoard => {
                const {
                    &[
                        Table::new("store_board", "store_id, region, status")
                            .counting("orders > 0"),
                        Table::new("store_board_order", "order_id"),
                    ]
                }
            }
            Self::CashLedger => {
                const {
                    &[
                        Table::new("cash_posting", "position, line").added_to(),
                        Table::new("cash_balance", "store_id, region, account, partner_id")
                            .counting("balance <> 0"),
                        Table::new("cash_order", "order_id"),
                        Table::new("cash_remittance", "remittance_id"),
                        Table::new("cash_day", "day, store_id, region")
                            .counting("delivered + failed + discrepancies > 0"),
                        Table::new("cash_store", "store_id"),
                    ]
                }
            }
            Self::Remittances => const { &[Table::new("remittance_view", "id")] },
            Self::Bundles => const { &[Table::new("bundle_view", "id")] },
            Self::Stores => const { &[Table::new("store_view", "id")] },
            Self::DeadLetters => const { &[Table::new("dead_letter_view", "id")] },
            Self::Metrics => {
                const {
                    &[
                        Table::new("metrics_order", "order_id"),
                        Table::new("metrics_hour", "store_id, hour, region"),
                        Table::new("metrics_day", "store_id, day, region"),
                        Table::new("metrics_bundle", "store_id, day, region, bundle_id"),
                        Table::new("metrics_component", "store_id, day, region, bundle_id, sku")
                            .counting("(quantity_units, revenue_units) <> (0, 0)"),
                        Table::new("metrics_basket", "store_id, day, region")
                            .counting("orders <> 0"),
                        Table::new("metrics_partner", "store_id, day, region, partner_id")
                            .counting("handed_over <> 0"),
                        Table::new(
                            "metrics_stage",
                            "store_id, day, region, stage, partner_id, bucket",
                        )
                        .counting("count <> 0"),
                        Table::new("metrics_step", "store_id, day, region, step, bucket"),
                    ]
                }
            }
        }
    }
}

/// Keeps the tables of these models from being exchanged until the transaction ends: the first statement of one that reads
/// them in one snapshot.
///
/// A lock takes no snapshot. Whoever took the snapshot first and then waited for an exchange would find the new table by
/// its name, and none of its rows, which are younger than the snapshot.
///
/// # Errors
/// The database did not answer.
pub(crate) async fn hold_tables(
    conn: &mut PgConnection,
    models: &[Model],
) -> Result<(), sqlx::Error> {
    let tables = models.iter().flat_map(|model| model.tables());
    let tables: Vec<String> = tables
        .map(|table| format!("public.{}", table.name))
        .collect();
    let lock = format!("lock table {} in access share mode", tables.join(", "));
    sqlx::query(&lock).persistent(false).execute(conn).await?;
    Ok(())
}

/// A table of a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns that tell its rows apart.
    pub(crate) key: &'static str,
    /// Which rows say something: a cell that went back to nothing stays until a rebuild.
    pub(crate) counts: &'static str,
    /// Its rows are only ever added: while it is filled, nobody looks one up by its key, and they are written beside the
    /// model's other tables.
    pub(crate) is_added_to: bool,
}

impl Table {
    const fn new(name: &'static str, key: &'static str) -> Self {
        Self {
            name,
            key,
            counts: "true",
            is_added_to: false,
        }
    }

    const fn added_to(self) -> Self {
        Self {
            is_added_to: true,
            ..self
        }
    }

    const fn counting(self, counts: &'static str) -> Self {
        Self { counts, ..self }
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
    #[error("a state does not serialise: {0}")]
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

#[cfg(test)]
mod tests {
    use domain::{entity::Entity, order::Order};

    use super::*;

    /// The state that a model keeps as a document, by the version of its shape, and how often the model's shape has changed
    /// besides.
    const fn kept(model: Model) -> Option<(u32, u32)> {
        match model {
            // Lost its histories.
            Model::OrderView => Some((Order::STATE_VERSION, 1)),
            Model::StoreBoard | Model::CashLedger | Model::Metrics => None,
            Model::Remittances => Some((Remittance::STATE_VERSION, 0)),
            Model::Bundles => Some((Bundle::STATE_VERSION, 0)),
            Model::Stores => Some((Store::STATE_VERSION, 0)),
            Model::DeadLetters => Some((Intake::STATE_VERSION, 0)),
        }
    }

    /// A state of another shape must not meet rows of the old one: raise the number of the model's key, and read
    /// "Read models of a new shape" in migrations/README.md.
    #[test]
    fn a_kept_state_of_a_new_shape_is_a_new_model() {
        for model in Model::ALL {
            let shape = model.checkpoint().split_once('.').map_or("1", |(_, n)| n);
            if let Some((version, besides)) = kept(model) {
                assert_eq!(shape, (version + besides).to_string(), "{model}");
            }
        }
    }

    #[test]
    fn every_model_has_a_name_and_a_key_of_its_own() {
        for (at, model) in Model::ALL.iter().enumerate() {
            let others = || Model::ALL.iter().skip(at + 1);
            assert!(
                others().all(|m| m.name() != model.name() && m.checkpoint() != model.checkpoint())
            );
            assert!(model.checkpoint().starts_with(model.name()));
        }
    }
}
