//! What differs between the kinds of entities, as far as the fake is concerned.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use async_trait::async_trait;
use chrono::Utc;
use domain::{
    actor::Actor,
    bundle::{Bundle, Offer},
    calendar::day_start,
    entity::Entity,
    ids::{IntakeId, OrderId, OrderNumber, RegionId, StoreId},
    intake::{Intake, IntakeOutcome},
    money::Money,
    order::{Facts, Order, OrderCommand, OrderEvent, event::Sealed, facts::StoreFacts},
    remittance::{Remittance, RemittanceCommand, RemittanceEvent, RemittanceFacts, RemittanceId},
    store::Store,
};
use projections::{
    ReadError,
    document::{
        BundleFilter, DeadLetterFilter, Document, Outcome, RemittanceFilter, Row, StoreFilter,
    },
    paging::{Edge, Page, Window},
};
use store::Position;
use uuid::Uuid;

use super::ledger::{Fake, Shelf};
use crate::backend::Shows;

/// A kind of entity that the fake keeps.
pub(super) trait Faked: Entity {
    fn shelf(fake: &Fake) -> &Shelf<Self>;

    /// An id for a new one.
    fn drawn() -> Self::Id {
        panic!("only orders are named by the ledger")
    }

    fn is_visible(_id: &Self::Id, _state: &Self, _actor: &Actor) -> bool {
        true
    }

    fn facts(fake: &Fake, id: &Self::Id, state: &Self, command: &Self::Command) -> Self::Facts;

    /// Keeps the books.
    fn book(_fake: &Fake, _id: &Self::Id, _state: &Self, _events: &[Self::Event]) {}
}

/// What is known of a store: any that nobody opened trades in Bangkok.
fn store_facts(fake: &Fake, id: &StoreId) -> Option<StoreFacts> {
    let opened = fake.stores.lock().unwrap().get(id).cloned();
    match opened {
        Some((_, store)) => store.facts(Utc::now()),
        None => Some(StoreFacts {
            region: RegionId::new("BKK").unwrap(),
            active: true,
            cod_limit: Some(Money::from_units(50_000_000)),
            auto_release: false,
        }),
    }
}

fn sealed(subject: String) -> Sealed {
    Sealed {
        subject,
        sealed: "c2VhbGVk".into(),
    }
}

impl Faked for Order {
    fn shelf(fake: &Fake) -> &Shelf<Self> {
        &fake.orders
    }

    fn drawn() -> OrderId {
        OrderId(Uuid::now_v7())
    }

    fn is_visible(_: &OrderId, state: &Self, actor: &Actor) -> bool {
        !state.exists() || actor.stores.covers(&state.store_id)
    }

    fn facts(fake: &Fake, id: &OrderId, state: &Self, command: &OrderCommand) -> Facts {
        let number = fake.numbers.fetch_add(1, Ordering::SeqCst) + 1;
        let (store, personal, customer) = match command {
            OrderCommand::Place(p) => (
                StoreId::new(&p.store_id).ok(),
                p.contact.is_some(),
                p.customer_id.clone(),
            ),
            OrderCommand::CollectCash(c) => (
                Some(state.store_id.clone()),
                c.proof.is_some(),
                state.customer_id.as_ref().map(ToString::to_string),
            ),
            _ => (Some(state.store_id.clone()), false, None),
        };
        let subject = customer.map_or_else(|| format!("order:{id}"), |c| format!("customer:{c}"));
        let offers = fake.bundles.lock().unwrap();
        let offers = offers.iter().filter_map(|(id, (_, bundle))| {
            Some(Offer {
                id: id.clone(),
                version: bundle.version,
                active: bundle.active,
                definition: bundle.definition.clone()?,
            })
        });
        Facts {
            number: Some(OrderNumber::new(format!("QC-2026-01-31-{number:06}")).unwrap()),
            sealed: personal.then(|| sealed(subject)),
            bundles: Arc::new(offers.collect()),
            ..Facts::new(Utc::now(), store.and_then(|id| store_facts(fake, &id)))
        }
    }

    fn book(fake: &Fake, id: &OrderId, state: &Self, events: &[OrderEvent]) {
        fake.books.lock().unwrap().order(*id, state, events);
    }
}

impl Faked for Bundle {
    fn shelf(fake: &Fake) -> &Shelf<Self> {
        &fake.bundles
    }

    fn facts(_: &Fake, _: &Self::Id, _: &Self, _: &Self::Command) {}
}

impl Faked for Store {
    fn shelf(fake: &Fake) -> &Shelf<Self> {
        &fake.stores
    }

    fn is_visible(id: &StoreId, _: &Self, actor: &Actor) -> bool {
        actor.stores.covers(id)
    }

    fn facts(_: &Fake, _: &Self::Id, _: &Self, _: &Self::Command) {}
}

impl Faked for Remittance {
    fn shelf(fake: &Fake) -> &Shelf<Self> {
        &fake.remittances
    }

    fn is_visible(id: &RemittanceId, _: &Self, actor: &Actor) -> bool {
        actor.stores.covers(id.store())
    }

    fn facts(
        fake: &Fake,
        id: &RemittanceId,
        _: &Self,
        command: &RemittanceCommand,
    ) -> RemittanceFacts {
        let orders = fake.orders.lock().unwrap();
        let numbers: HashMap<&str, OrderId> = orders
            .iter()
            .map(|(id, (_, order))| (order.number.as_str(), *id))
            .collect();
        let named = match command {
            RemittanceCommand::Report { items, .. } => items.as_slice(),
            _ => &[],
        };
        let known = named.iter().filter_map(|item| {
            let id = numbers.get(item.reference.as_str())?;
            Some((item.reference.clone(), *id))
        });
        RemittanceFacts {
            id: id.clone(),
            now: day_start(id.day()),
            region: store_facts(fake, id.store()).map(|s| s.region),
            orders: known.collect(),
            extras: Vec::new(),
        }
    }

    fn book(fake: &Fake, id: &RemittanceId, _: &Self, events: &[RemittanceEvent]) {
        fake.books.lock().unwrap().remittance(id, events);
    }
}

impl Faked for Intake {
    fn shelf(fake: &Fake) -> &Shelf<Self> {
        &fake.intakes
    }

    fn facts(_: &Fake, _: &Self::Id, _: &Self, _: &Self::Command) {}
}

/// A kind that is shown as a document.
pub(super) trait FakedList: Faked + Document {
    fn holds(filter: &Self::Filter, row: &Row<Self>) -> bool;
}

impl FakedList for Bundle {
    fn holds(filter: &BundleFilter, row: &Row<Self>) -> bool {
        filter
            .is_active
            .is_none_or(|active| active == row.state.active)
    }
}

impl FakedList for Store {
    fn holds(filter: &StoreFilter, row: &Row<Self>) -> bool {
        filter.allowed.covers(&row.id)
    }
}

impl FakedList for Remittance {
    fn holds(filter: &RemittanceFilter, row: &Row<Self>) -> bool {
        let partner = filter.partner.as_ref();
        let status = filter.statuses.as_ref();
        filter.allowed.covers(row.id.store())
            && partner.is_none_or(|p| p == row.id.partner())
            && status.is_none_or(|s| s.contains(&row.state.status))
            && filter.from.is_none_or(|from| row.id.day() >= from)
            && filter.to.is_none_or(|to| row.id.day() <= to)
    }
}

impl FakedList for Intake {
    fn holds(filter: &DeadLetterFilter, row: &Row<Self>) -> bool {
        let outcome = match row.state.outcome {
            IntakeOutcome::Rejected => Outcome::Rejected,
            IntakeOutcome::Placed { .. } => Outcome::Placed,
            IntakeOutcome::Dismissed { .. } => Outcome::Dismissed,
        };
        let outcomes = filter.outcomes.as_ref();
        outcomes.is_none_or(|asked| asked.contains(&outcome))
    }
}

fn row<E: FakedList>(fake: &Fake, id: &E::Id) -> Option<Row<E>> {
    let (version, state) = E::shelf(fake).lock().unwrap().get(id).cloned()?;
    let now = Utc::now();
    Some(Row {
        id: id.clone(),
        version,
        first_position: Position(1),
        position: Position(version),
        state: (*state).clone(),
        created_at: now,
        updated_at: now,
    })
}

#[async_trait]
impl<E: FakedList> Shows<E> for Fake {
    async fn by_id(&self, id: &E::Id) -> Result<Option<Row<E>>, ReadError> {
        self.check()?;
        Ok(row(self, id))
    }

    async fn page(&self, filter: &E::Filter, _: &Window) -> Result<Page<Row<E>>, ReadError> {
        self.check()?;
        let ids: Vec<E::Id> = E::shelf(self).lock().unwrap().keys().cloned().collect();
        let rows = ids.iter().filter_map(|id| row::<E>(self, id));
        let edges = rows.filter(|row| E::holds(filter, row)).map(|row| Edge {
            cursor: row.id.to_string(),
            row,
        });
        Ok(Page {
            edges: edges.collect(),
            has_next: false,
            has_previous: false,
        })
    }
}

/// The id that a message's dead letter has.
pub(super) fn intake_id(sender: &str, source: &str, message_id: &str) -> IntakeId {
    commands::intake::intake_id(sender, source, message_id)
}
