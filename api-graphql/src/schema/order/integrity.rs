//! Whether an order's history is whole, and the read models hold what it says.

use async_graphql::{Enum, Error, ID, SimpleObject};
use domain::{ids::OrderId, order::Order as State};
use projections::{Model, as_of::AsOfError, check::CheckError, whose::Thing};
use store::{
    StoreError,
    verify::{Finding, FindingKind},
};

use crate::{
    backend::{Verified, VerifyError},
    schema::{
        access::{Access, not_found},
        problem::{count, int},
        scalars::Position,
    },
};

/// What a check of one order found.
#[derive(Debug, Clone, SimpleObject)]
pub struct IntegrityReport {
    /// The order.
    pub order_id: ID,
    /// Whether nothing is wrong.
    pub is_sound: bool,
    /// Events read.
    pub events: i32,
    /// The order's newest version, as the log says.
    pub version: i32,
    /// Position of its last event, as the log says.
    pub position: Position,
    /// The read models compared, each with a replay up to its own position.
    pub models: Vec<ComparedModel>,
    /// What is wrong: first in the log, then in the read models.
    pub findings: Vec<IntegrityFinding>,
    /// Findings beyond those.
    pub more_findings: i32,
}

/// A read model and how far it was when it was compared.
#[derive(Debug, Clone, SimpleObject)]
pub struct ComparedModel {
    /// Its name, as in `projections`.
    pub name: &'static str,
    /// The last position it had applied.
    pub position: Position,
}

/// What kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum IntegrityFindingKind {
    /// An event says something else than it did when it was appended.
    Content,
    /// An event's chain hash is not that of its position, time and content.
    Hash,
    /// An event does not follow the one stored before it in the log.
    Link,
    /// The event before one of the order's is missing.
    Gap,
    /// An event is older than the one before it.
    Time,
    /// The order's events are not numbered 1, 2, 3 .. along the log.
    Sequence,
    /// What the log says of the order's newest version and its events disagree.
    StreamHead,
    /// An event and the log of commands disagree.
    CommandLog,
    /// The head of the log is not its last event.
    Head,
    /// No read model can apply an event.
    Unreadable,
    /// A row of a read model is not what a replay gives.
    ReadModel,
}

impl From<FindingKind> for IntegrityFindingKind {
    fn from(kind: FindingKind) -> Self {
        match kind {
            FindingKind::Content => Self::Content,
            FindingKind::Hash => Self::Hash,
            FindingKind::Link => Self::Link,
            FindingKind::Gap => Self::Gap,
            FindingKind::Time => Self::Time,
            FindingKind::Sequence => Self::Sequence,
            FindingKind::StreamHead => Self::StreamHead,
            FindingKind::CommandLog => Self::CommandLog,
            FindingKind::Head => Self::Head,
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, SimpleObject)]
pub struct IntegrityFinding {
    /// What kind of damage.
    pub kind: IntegrityFindingKind,
    /// Where in the log; null for a row of a read model.
    pub position: Option<Position>,
    /// The table of the row; null for the log.
    pub table: Option<String>,
    /// In words, without content.
    pub detail: String,
}

impl From<Finding> for IntegrityFinding {
    fn from(finding: Finding) -> Self {
        Self {
            kind: finding.kind.into(),
            position: Some(Position(finding.position)),
            table: None,
            detail: finding.detail,
        }
    }
}

impl IntegrityReport {
    /// # Errors
    /// NOT_FOUND for an order that neither the log nor a read model knows; a fault of ours.
    pub(super) async fn of(access: &Access<'_>, id: OrderId) -> Result<Self, Error> {
        let verified = access.backend.verify_order(id).await;
        let verified = verified.map_err(|error| failed(access, error))?;
        Ok(Self::new(id, verified))
    }

    fn new(id: OrderId, verified: Verified) -> Self {
        let Verified { log, views } = verified;
        let mut findings: Vec<IntegrityFinding> =
            log.findings.into_iter().map(Into::into).collect();
        let (mut models, mut more) = (Vec::new(), log.more_findings);
        match views {
            Ok(report) => {
                models.extend(report.positions.iter().map(|(model, at)| ComparedModel {
                    name: model.name(),
                    position: Position(*at),
                }));
                more += report.found - report.differences.len() as u64;
                let rows = report.differences.into_iter();
                findings.extend(rows.map(|difference| IntegrityFinding {
                    kind: IntegrityFindingKind::ReadModel,
                    position: None,
                    table: Some(difference.table.to_owned()),
                    detail: difference.what,
                }));
            }
            Err(poison) => findings.push(IntegrityFinding {
                kind: IntegrityFindingKind::Unreadable,
                position: Some(Position(poison.position)),
                table: None,
                detail: poison.reason,
            }),
        }
        Self {
            order_id: ID::from(id.0),
            is_sound: findings.is_empty(),
            events: count(u32::try_from(log.events).unwrap_or(u32::MAX)),
            version: int(log.version),
            position: Position(log.position),
            models,
            findings,
            more_findings: count(u32::try_from(more).unwrap_or(u32::MAX)),
        }
    }
}

fn failed(access: &Access<'_>, error: VerifyError) -> Error {
    match error {
        VerifyError::Store(error) => access.log_failed(error),
        VerifyError::Check(CheckError::Database(error)) => {
            access.log_failed(StoreError::Database(error))
        }
        VerifyError::Check(error) => access.fault(&error.to_string()),
    }
}

/// The id of an order that the caller may see, be its history damaged: then its row says which store's it is.
///
/// # Errors
/// NOT_FOUND, for a foreign store's order as for none.
pub(super) async fn readable(access: &Access<'_>, id: &ID) -> Result<OrderId, Error> {
    let Ok(id) = id.parse::<OrderId>() else {
        return Err(not_found::<State>());
    };
    let row = match access.backend.order_as_of(id, None).await {
        Ok(found) => found.row(),
        Err(AsOfError::Store(error)) => return Err(access.log_failed(error)),
        Err(AsOfError::Poison(_) | AsOfError::TooLong { .. } | AsOfError::Ahead { .. }) => None,
    };
    let row = match row {
        Some(row) => Some(row),
        None => {
            let node = access.read(&[Model::OrderView], None).await?;
            let shown = node.order(id).await;
            let shown = shown.map_err(|e| access.read_failed(e))?;
            if shown.is_none() {
                access.missed(node.as_ref(), Thing::Order(id)).await?;
            }
            shown
        }
    };
    match row {
        Some(row) if access.sees(&row.order.store_id, &id.to_string()).await => Ok(id),
        _ => Err(not_found::<State>()),
    }
}
