//! Orders that are missing from the index of phone numbers: placed before there was one, or by a program of a release
//! that did not know it. What this release places is indexed by the append itself, so that here there is nothing to do
//! but to look.

use std::{collections::HashSet, time::Duration};

use domain::{
    ids::OrderId,
    order::{OrderEvent, command::Contact, event::Sealed},
};
use sqlx::PgConnection;
use store::phones::{self, PhoneRow};
use uuid::Uuid;

use super::{
    fact::{Fact, Happening},
    hands::Trouble,
    reactor::Process,
};
use crate::{CommandBus, personal::VaultError};

/// Adds to the index what is missing.
pub(crate) struct Phones {
    bus: CommandBus,
}

impl Phones {
    pub(crate) const fn new(bus: CommandBus) -> Self {
        Self { bus }
    }

    /// The row of an order; `None` where the person was erased or gave no number.
    async fn row(&self, id: OrderId, sealed: &Sealed) -> Result<Option<PhoneRow>, Trouble> {
        let vault = self.bus.vault();
        let contact: Option<Contact> = match vault.open(sealed).await {
            Ok(contact) => contact,
            Err(VaultError::Store(error)) => return Err(error.into()),
            // Nobody can read this one, so nobody needs to find it; the others are not to wait for it.
            Err(error) => {
                tracing::warn!(order = %id, %error, "an order cannot be found by phone number");
                None
            }
        };
        let hash = contact
            .and_then(|contact| contact.phone)
            .and_then(|phone| vault.phone_hash(&phone));
        Ok(hash.map(|hash| PhoneRow {
            id: id.0,
            hash,
            subject: sealed.subject.clone(),
        }))
    }
}

impl Process for Phones {
    const NAME: &'static str = "process.phone_index";
    const WANTED: &'static [&'static str] = &["order.placed"];
    /// Nobody waits for it, and a longer page costs one look-up all the same.
    const LINGER: Duration = Duration::from_secs(1);
    type Rows = Vec<PhoneRow>;

    fn is_empty(rows: &Vec<PhoneRow>) -> bool {
        rows.is_empty()
    }

    async fn react(&self, page: &[Fact]) -> Result<Vec<PhoneRow>, Trouble> {
        let placed = page.iter().filter_map(|fact| match &fact.happening {
            Happening::Order(id, event) => match &**event {
                OrderEvent::Placed(placed) => Some((*id, placed.contact.as_ref()?)),
                _ => None,
            },
            _ => None,
        });
        let placed: Vec<(OrderId, &Sealed)> = placed.collect();
        let ids: Vec<Uuid> = placed.iter().map(|(id, _)| id.0).collect();
        let log = self.bus.log();
        let known = phones::known(log.pool(), log.log_id(), &ids).await?;
        let known: HashSet<Uuid> = known.into_iter().collect();
        let mut rows = Vec::new();
        for (id, sealed) in placed {
            if !known.contains(&id.0) {
                rows.extend(self.row(id, sealed).await?);
            }
        }
        Ok(rows)
    }

    async fn write(&self, conn: &mut PgConnection, rows: Vec<PhoneRow>) -> Result<(), Trouble> {
        let added = phones::add(conn, self.bus.log().log_id(), &rows).await?;
        tracing::debug!(added, "orders can be found by phone number");
        Ok(())
    }

    async fn tick(&self) -> Result<bool, Trouble> {
        Ok(false)
    }
}
