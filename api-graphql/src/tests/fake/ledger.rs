//! Entities in memory, changed by the domain's own decisions.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::Utc;
use commands::{
    CommandError, Loaded, Outcome, Receipt, Rehearsal, Request, Target,
    intake::{Context, Incoming, Redrive, Redriven, Submitted},
    personal::{Erasure, Subject},
};
use domain::{
    actor::{Actor, StoreScope},
    bundle::Bundle,
    entity::{Command, Entity, Event},
    ids::{CommandId, IntakeId, OrderId, StoreId},
    intake::Intake,
    order::{
        Order,
        command::{Contact, Proof},
        event::{Sealed, System},
    },
    remittance::Remittance,
    store::Store,
};
use projections::{
    Model, Poison, ReadError,
    cash_ledger::{
        Balances, CashFilter, CashOrder, CollectionDay, DayFilter, Grouping, OutstandingFilter,
        PostingRow, PostingsOf,
    },
    freshness::ModelStatus,
    nodes::{AtLeast, NoNode},
    order_view::{HistoryPage, HistoryWindow, OrderRow, PageRequest},
    paging::{Edge, Page, Window},
    store_board::StoreCount,
    whose::Thing,
};
use store::{PhoneHash, Position, Recorded};
use uuid::Uuid;

use super::kinds::Faked;
use crate::backend::{Backend, Executes, Opened, Reads, RefusedAccess};

/// The entities of a kind with their versions.
pub(super) type Shelf<E> = Mutex<HashMap<<E as Entity>::Id, (i64, Arc<E>)>>;

/// The ledger, and what its faults are to be.
#[derive(Default)]
pub(crate) struct Fake {
    pub(super) orders: Shelf<Order>,
    pub(super) bundles: Shelf<Bundle>,
    pub(super) stores: Shelf<Store>,
    pub(super) remittances: Shelf<Remittance>,
    pub(super) intakes: Shelf<Intake>,
    pub(super) books: Mutex<super::cash::Books>,
    pub(super) numbers: AtomicU32,
    /// Every event, as a log has it.
    pub(crate) log: Mutex<Vec<Recorded>>,
    pub(crate) damage: Mutex<super::past::Damage>,
    pub(crate) erased: Mutex<Vec<String>>,
    pub(crate) refused: Mutex<Vec<RefusedAccess>>,
    /// Collections by day, as the read side is to show them.
    pub(crate) days: Mutex<Vec<CollectionDay>>,
    /// Metrics, likewise.
    pub(crate) metrics: Mutex<super::FakeMetrics>,
    /// What the next command answers instead.
    pub(crate) next: Mutex<Option<CommandError>>,
    /// The read side fails, the vault panics.
    pub(crate) broken: AtomicBool,
    /// The read side never gets anywhere.
    pub(crate) stale: AtomicBool,
    /// How many were asked for at once, of whatever is read for many at once.
    pub(crate) batches: Mutex<Vec<usize>>,
    /// Every command takes this long.
    pub(crate) slow: Mutex<Duration>,
    /// Nothing is ever heard but what a test tells.
    pub(crate) changes: projections::changes::Changes,
}

impl Fake {
    pub(super) fn check(&self) -> Result<(), ReadError> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(ReadError::Corrupt(
                "the fake is broken: secret detail".into(),
            )),
            false => Ok(()),
        }
    }

    fn row(&self, id: OrderId) -> Option<OrderRow> {
        let orders = self.orders.lock().unwrap();
        let (version, order) = orders.get(&id)?;
        let now = Utc::now();
        let order = (**order).clone();
        Some(OrderRow {
            id,
            version: *version,
            position: Position(*version),
            order: order.into(),
            placed_at: now,
            updated_at: now,
        })
    }

    fn opened<T: Clone>(&self, sealed: &[Sealed], plain: &T) -> Vec<Opened<T>> {
        assert!(!self.broken.load(Ordering::SeqCst), "the fake vault panics");
        self.batches.lock().unwrap().push(sealed.len());
        let erased = self.erased.lock().unwrap();
        let open = |one: &Sealed| (!erased.contains(&one.subject)).then(|| plain.clone());
        sealed.iter().map(|one| Ok(open(one))).collect()
    }

    /// Decides a command as the bus does, without what only a log can do.
    fn decide<E: Faked>(&self, request: &Request<E>) -> Result<Decided<E>, CommandError> {
        if let Some(error) = self.next.lock().unwrap().take() {
            return Err(error);
        }
        let action = request.command.action();
        if !request.actor.role.may(action) {
            return Err(CommandError::Forbidden { action });
        }
        let id = match &request.target {
            Target::New => E::drawn(),
            Target::Entity(id) => id.clone(),
        };
        let known = E::shelf(self).lock().unwrap().get(&id).cloned();
        let (version, state) = match known {
            Some(known) => known,
            None if request.command.creates() => (0, Arc::default()),
            None => return Err(CommandError::not_found::<E>(&id)),
        };
        if !E::is_visible(&id, &state, &request.actor) {
            return Err(CommandError::not_found::<E>(&id));
        }
        if let Some(expected) = request.expected_version.filter(|v| *v != version) {
            return Err(CommandError::VersionConflict {
                expected: Some(expected),
                actual: version,
            });
        }
        let facts = E::facts(self, &id, &state, &request.command);
        let events = state.decide(&request.command, &request.actor, &facts)?;
        let mut after = (*state).clone();
        events.iter().for_each(|event| after.apply(event));
        Ok(Decided {
            id,
            version,
            after,
            events,
        })
    }

    /// Carries out a command.
    pub(super) fn carry_out<E: Faked>(
        &self,
        request: &Request<E>,
    ) -> Result<Outcome<E>, CommandError> {
        let Decided {
            id,
            version,
            after,
            events,
        } = self.decide(request)?;
        self.record::<E>(&id, version, &after, &events);
        let version = version + i64::try_from(events.len()).unwrap();
        let state = Arc::new(after);
        E::book(self, &id, &state, &events);
        let shelved = (version, Arc::clone(&state));
        E::shelf(self).lock().unwrap().insert(id.clone(), shelved);
        let now = Utc::now();
        Ok(Outcome {
            receipt: Receipt {
                command_id: request.command_id,
                id: id.clone(),
                version,
                position: Position(version),
                event_ids: events.iter().map(|_| Uuid::now_v7()).collect(),
                replayed: false,
            },
            entity: Loaded {
                id,
                version,
                position: Position(version),
                created_at: now,
                updated_at: now,
                state,
            },
        })
    }
}

/// What a command leads to.
struct Decided<E: Entity> {
    id: E::Id,
    /// Before it.
    version: i64,
    after: E,
    events: Vec<E::Event>,
}

#[async_trait]
impl<E: Faked> Executes<E> for Arc<Fake> {
    async fn execute(&self, request: Request<E>) -> Result<Outcome<E>, CommandError> {
        let slow = *self.slow.lock().unwrap();
        tokio::time::sleep(slow).await;
        self.carry_out(&request)
    }
}

#[async_trait]
impl Backend for Arc<Fake> {
    fn changes(&self) -> &projections::changes::Changes {
        &self.changes
    }

    async fn rehearse(&self, request: Request<Order>) -> Result<Rehearsal<Order>, CommandError> {
        let mut decided = self.decide(&request)?;
        let places = matches!(request.target, Target::New);
        if let Some(contact) = decided.after.contact.as_mut().filter(|_| places) {
            *contact = Sealed {
                subject: String::new(),
                sealed: String::new(),
            };
        }
        let types = decided
            .events
            .iter()
            .map(Event::event_type)
            .collect::<Vec<_>>();
        let now = Utc::now();
        Ok(Rehearsal {
            entity: Loaded {
                id: decided.id,
                version: decided.version + i64::try_from(types.len()).unwrap(),
                position: Position(decided.version),
                created_at: now,
                updated_at: now,
                state: Arc::new(decided.after),
            },
            stored: decided.version,
            event_types: types,
            replayed: false,
        })
    }

    async fn submit(&self, incoming: Incoming) -> Result<Submitted, CommandError> {
        self.take_in(incoming)
    }

    async fn redrive(&self, id: IntakeId, redrive: Redrive) -> Result<Redriven, CommandError> {
        self.place_again(id, redrive)
    }

    async fn dismiss(
        &self,
        id: IntakeId,
        command_id: CommandId,
        reason: String,
        context: Context,
    ) -> Result<Outcome<Intake>, CommandError> {
        self.give_up(id, command_id, reason, context)
    }

    async fn forget(&self, subject: &Subject, actor: &Actor) -> Result<Erasure, CommandError> {
        self.erase(subject, actor)
    }

    async fn open_contacts(&self, sealed: &[Sealed]) -> Result<Vec<Opened<Contact>>, String> {
        let contact = Contact {
            name: Some("สมชาย 😀".into()),
            ..Contact::default()
        };
        Ok(self.opened(sealed, &contact))
    }

    async fn open_proofs(&self, sealed: &[Sealed]) -> Result<Vec<Opened<Proof>>, String> {
        let proof = Proof {
            photo: Some("s3://proofs/1.jpg".into()),
            ..Proof::default()
        };
        Ok(self.opened(sealed, &proof))
    }

    fn phone_hash(&self, phone: &str) -> Option<PhoneHash> {
        domain::phone::e164(phone).map(|_| PhoneHash([7; 16]))
    }

    async fn read(
        &self,
        _: &StoreScope,
        models: &[Model],
        at_least: Option<AtLeast>,
    ) -> Result<Arc<dyn Reads>, NoNode> {
        let stale = self.stale.load(Ordering::SeqCst)
            && at_least.is_some_and(|demand| demand.position > Position(0));
        match models.first() {
            Some(&model) if stale => Err(NoNode::Stale {
                model,
                at: Position(0),
            }),
            _ => Ok(Arc::clone(self) as Arc<dyn Reads>),
        }
    }

    async fn models(&self) -> Result<Vec<ModelStatus>, ReadError> {
        let status = |model| ModelStatus {
            model,
            position: Position(3),
            head: Position(5),
            lag_millis: 7,
            failed: None,
        };
        Ok(Model::ALL.into_iter().map(status).collect())
    }

    async fn refused(&self, access: RefusedAccess) {
        self.refused.lock().unwrap().push(access);
    }
}

#[async_trait]
impl Reads for Fake {
    async fn whose(&self, thing: Thing<'_>) -> Result<Option<(String, StoreId)>, ReadError> {
        self.check()?;
        let Thing::Order(id) = thing else {
            return Ok(None);
        };
        let row = self.row(id);
        Ok(row.map(|row| (id.to_string(), row.order.store_id.clone())))
    }

    async fn order(&self, id: OrderId) -> Result<Option<OrderRow>, ReadError> {
        self.check()?;
        Ok(self.row(id))
    }

    async fn order_by_ref(
        &self,
        system: System,
        reference: &str,
    ) -> Result<Option<OrderRow>, ReadError> {
        self.check()?;
        let holds = |o: &Order| {
            o.refs
                .iter()
                .any(|r| r.system == system && r.reference == reference)
        };
        let orders = self.orders.lock().unwrap();
        let id = orders
            .iter()
            .find(|(_, (_, o))| holds(o))
            .map(|(id, _)| *id);
        drop(orders);
        Ok(id.and_then(|id| self.row(id)))
    }

    async fn orders(&self, request: &PageRequest) -> Result<Page<OrderRow>, ReadError> {
        self.check()?;
        let ids: Vec<_> = self.orders.lock().unwrap().keys().copied().collect();
        let rows = ids.into_iter().filter_map(|id| self.row(id));
        let seen = rows.filter(|r| request.filter.allowed.covers(&r.order.store_id));
        let edges = seen
            .map(|row| Edge {
                cursor: row.id.to_string(),
                row,
            })
            .collect();
        Ok(Page {
            edges,
            has_next: false,
            has_previous: false,
        })
    }

    async fn histories(
        &self,
        windows: &[HistoryWindow],
    ) -> Result<Vec<Result<HistoryPage, Poison>>, ReadError> {
        self.check()?;
        self.batches.lock().unwrap().push(windows.len());
        Ok(vec![Ok(HistoryPage::default()); windows.len()])
    }

    async fn board(
        &self,
        allowed: &StoreScope,
        _: Option<&[StoreId]>,
    ) -> Result<Vec<StoreCount>, ReadError> {
        let orders = self.orders.lock().unwrap();
        let count = |o: &Order| StoreCount {
            store_id: o.store_id.clone(),
            region: o.region.clone(),
            status: o.status,
            count: 1,
        };
        let counts = orders.values().map(|(_, o)| count(o));
        Ok(counts.filter(|c| allowed.covers(&c.store_id)).collect())
    }

    async fn cash_balances(
        &self,
        filter: &CashFilter,
        by: Grouping,
    ) -> Result<Balances, ReadError> {
        self.check()?;
        Ok(self.books.lock().unwrap().balances(filter, by))
    }

    async fn cash_order(&self, id: OrderId) -> Result<Option<CashOrder>, ReadError> {
        self.check()?;
        Ok(self
            .row(id)
            .map(|row| self.books.lock().unwrap().cash_of(row)))
    }

    async fn cash_orders(&self, ids: &[OrderId]) -> Result<Vec<CashOrder>, ReadError> {
        self.check()?;
        self.batches.lock().unwrap().push(ids.len());
        let rows = ids.iter().filter_map(|id| self.row(*id));
        let books = self.books.lock().unwrap();
        Ok(rows.map(|row| books.cash_of(row)).collect())
    }

    async fn cash_postings(
        &self,
        of: &PostingsOf,
        _: &Window,
    ) -> Result<Page<PostingRow>, ReadError> {
        self.check()?;
        Ok(self.books.lock().unwrap().postings(of))
    }

    async fn outstanding_cash(
        &self,
        filter: &OutstandingFilter,
        _: &Window,
    ) -> Result<Page<CashOrder>, ReadError> {
        self.check()?;
        let ids: Vec<_> = self.orders.lock().unwrap().keys().copied().collect();
        let rows = ids.into_iter().filter_map(|id| self.row(id));
        let books = self.books.lock().unwrap();
        Ok(books.outstanding(filter, rows.map(|row| books.cash_of(row))))
    }

    async fn collection_days(&self, filter: &DayFilter) -> Result<Vec<CollectionDay>, ReadError> {
        let days = self.days.lock().unwrap().clone();
        let seen = |day: &CollectionDay| {
            filter.allowed.covers(&day.store_id) && (filter.from..=filter.to).contains(&day.day)
        };
        Ok(days.into_iter().filter(seen).collect())
    }
}
