//! Reading one entity, or a page of them, the same way for every kind.

use std::sync::Arc;

use async_graphql::{Error, ID};
use projections::{
    document::{Document, Row},
    paging::{Page, Window},
};

use super::access::Access;
use crate::backend::{Reads, Shows};

/// One by its id; `None` also for what is no id: it is the id of none.
///
/// # Errors
/// As [`Access::read_failed`].
pub(crate) async fn by_id<E>(
    access: &Access<'_>,
    node: &Arc<dyn Reads>,
    id: &ID,
) -> Result<Option<Row<E>>, Error>
where
    E: Document,
    dyn Reads: Shows<E>,
{
    let Ok(id) = id.as_str().parse::<E::Id>() else {
        return Ok(None);
    };
    let found = Shows::<E>::by_id(node.as_ref(), &id).await;
    found.map_err(|e| access.read_failed(e))
}

/// A page of a list.
///
/// # Errors
/// As [`Access::read_failed`].
pub(crate) async fn page<E>(
    access: &Access<'_>,
    node: &Arc<dyn Reads>,
    filter: &E::Filter,
    window: &Window,
) -> Result<Page<Row<E>>, Error>
where
    E: Document,
    dyn Reads: Shows<E>,
{
    let page = Shows::<E>::page(node.as_ref(), filter, window).await;
    page.map_err(|e| access.page_failed(window, e))
}
