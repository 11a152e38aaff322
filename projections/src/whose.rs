//! Whose something is that a reader was not shown.
//!
//! The database shows a reader its own stores' rows only, so one that is another store's looks like one that is not
//! there, to the program as to the caller. A refusal is put on record all the same: this tells the store, and nothing else.

use domain::{
    ids::{OrderId, StoreId},
    order::event::System,
    remittance::RemittanceId,
};

use crate::{ReadDb, ReadError, words::word};

/// Something that belongs to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing<'a> {
    /// An order.
    Order(OrderId),
    /// The order that a system knows by this.
    Ref(System, &'a str),
    /// A remittance.
    Remittance(&'a RemittanceId),
    /// A store, its own.
    Store(&'a StoreId),
}

/// Its id, and the store it belongs to; `None` where there is no such thing.
///
/// # Errors
/// The database did not answer.
pub async fn whose(db: &ReadDb, thing: Thing<'_>) -> Result<Option<(String, StoreId)>, ReadError> {
    let (kind, id, system) = match thing {
        Thing::Order(id) => ("order", id.to_string(), None),
        Thing::Ref(system, reference) => {
            // PostgreSQL's text cannot hold NUL, so nobody knows an order by it.
            if reference.contains('\0') {
                return Ok(None);
            }
            ("ref", reference.to_owned(), Some(word(&system)))
        }
        Thing::Remittance(id) => ("remittance", id.to_string(), None),
        Thing::Store(id) => ("store", id.to_string(), None),
    };
    let found: Option<(String, String)> =
        sqlx::query_as("select id, store_id from ledger_whose($1, $2, $3)")
            .bind(kind)
            .bind(id)
            .bind(system)
            .fetch_optional(&mut *db.connection().await?)
            .await?;
    let Some((id, store)) = found else {
        return Ok(None);
    };
    let store = StoreId::new(store).map_err(|e| ReadError::Corrupt(e.to_string()))?;
    Ok(Some((id, store)))
}
