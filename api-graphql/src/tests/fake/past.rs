//! The fake's log: every event that a command led to, without the chain.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;
use domain::{
    entity::{Entity, Event},
    ids::OrderId,
};
use projections::{
    Model,
    as_of::{self, AsOf, AsOfError, Found},
    check::{CheckReport, Difference},
};
use store::{
    Position, Recorded,
    verify::{Finding, StreamReport},
};
use uuid::Uuid;

use super::ledger::Fake;
use crate::backend::{LooksBack, Verified, VerifyError};

/// What is to be found wrong with any order: in the log, and in the read models.
pub(crate) type Damage = (Vec<Finding>, Vec<Difference>);

impl Fake {
    /// Writes the events that follow a version. `after` is the state after them.
    pub(super) fn record<E: Entity>(
        &self,
        id: &E::Id,
        version: i64,
        after: &E,
        events: &[E::Event],
    ) {
        let mut log = self.log.lock().unwrap();
        for (sequence, event) in (version + 1..).zip(events) {
            let position = Position(i64::try_from(log.len()).unwrap() + 1);
            let store = after.store_id().map(ToString::to_string);
            log.push(Recorded {
                position,
                event_id: Uuid::now_v7(),
                aggregate_type: E::TYPE.to_owned(),
                aggregate_id: id.to_string(),
                sequence,
                event_type: event.event_type().to_owned(),
                event_version: event.version().to_owned(),
                payload: serde_json::to_string(event).unwrap(),
                metadata: serde_json::json!({ "storeId": store }).to_string(),
                command_id: Uuid::nil(),
                recorded_at: Utc::now(),
                content_hash: [0; 32],
                prev_hash: [0; 32],
                hash: [0; 32],
            });
        }
    }
}

#[async_trait]
impl LooksBack for Arc<Fake> {
    async fn order_as_of(&self, id: OrderId, as_of: Option<AsOf>) -> Result<Found, AsOfError> {
        let log = self.log.lock().unwrap();
        let head = Position(i64::try_from(log.len()).unwrap());
        match as_of {
            Some(AsOf::Position(asked)) if asked > head => {
                return Err(AsOfError::Ahead { asked, head });
            }
            _ => {}
        }
        let id_text = id.to_string();
        let own = log.iter().filter(|event| event.aggregate_id == id_text);
        as_of::fold(id, own.cloned().collect(), as_of)
    }

    async fn verify_order(&self, id: OrderId) -> Result<Verified, VerifyError> {
        let id_text = id.to_string();
        let log = self.log.lock().unwrap();
        let own: Vec<_> = log.iter().filter(|e| e.aggregate_id == id_text).collect();
        let last = own
            .last()
            .map_or((0, Position::START), |e| (e.sequence, e.position));
        let (findings, differences) = self.damage.lock().unwrap().clone();
        let views = CheckReport {
            positions: vec![(Model::OrderView, last.1)],
            found: differences.len() as u64,
            differences,
            ..CheckReport::default()
        };
        Ok(Verified {
            log: StreamReport {
                events: own.len() as u64,
                version: last.0,
                position: last.1,
                findings,
                more_findings: 0,
            },
            views: Ok(views),
        })
    }
}
