//! What is stored: events and states as texts, read again by a reader that knows nothing else.

use std::{collections::HashMap, fs, path::Path};

use domain::{
    cash::OrderCash,
    decode::decode,
    entity::{Entity, Event},
    order::{Order, OrderEvent},
    remittance::{Remittance, RemittanceEvent},
};
use serde::Serialize;

use crate::{life::Life, validator::Validator};

type Check = Result<(), String>;

/// The order that a reader of the stored texts sees is the one that lived, and its state survives a
/// snapshot at any point of its life.
pub fn order(life: &Life<'_>) -> Check {
    let read = refold::<Order>(&life.events)?;
    if read != life.order {
        return Err(format!("read {read:#?}\nlived {:#?}", life.order));
    }
    let half = life.events.len() / 2;
    let (early, late) = life.events.split_at(half);
    let mut resumed = through_text(&fold::<Order>(early))?;
    late.iter().for_each(|event| resumed.apply(event));
    if resumed != life.order {
        return Err(format!("resumed {resumed:#?}\nlived {:#?}", life.order));
    }
    let mut cash = OrderCash::default();
    for event in &life.events {
        cash = through_text(&cash)?;
        cash.post(life.id, event);
    }
    if cash == life.cash {
        Ok(())
    } else {
        Err(format!("booked {cash:?}, lived {:?}", life.cash))
    }
}

pub fn remittance(events: &[RemittanceEvent], state: &Remittance) -> Check {
    let read = refold::<Remittance>(events)?;
    if read == *state && through_text(state)? == *state {
        Ok(())
    } else {
        Err(format!("read {read:#?}\nlived {state:#?}"))
    }
}

fn fold<A: Entity>(events: &[A::Event]) -> A {
    let mut state = A::default();
    events.iter().for_each(|event| state.apply(event));
    state
}

fn refold<A: Entity>(events: &[A::Event]) -> Result<A, String> {
    let mut state = A::default();
    for event in events {
        let text = serde_json::to_string(event).map_err(|e| e.to_string())?;
        let read: A::Event =
            decode(event.event_type(), event.version(), &text).map_err(|e| e.to_string())?;
        if read != *event {
            return Err(format!("read {read:#?}, stored {event:#?}"));
        }
        state.apply(&read);
    }
    Ok(state)
}

fn through_text<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> Result<T, String> {
    let text = serde_json::to_string(value).map_err(|e| e.to_string())?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

/// The committed schemas.
#[derive(Default)]
pub struct Schemas(HashMap<&'static str, Validator>);

impl Schemas {
    /// What happened fits the schemas.
    pub fn fit(&mut self, orders: &[OrderEvent], remittance: &[RemittanceEvent]) -> Check {
        orders.iter().try_for_each(|event| self.fits(event))?;
        remittance.iter().try_for_each(|event| self.fits(event))
    }

    fn fits<E: Event>(&mut self, event: &E) -> Check {
        let event_type = event.event_type();
        let schema = self.0.entry(event_type).or_insert_with(|| {
            let file = format!("schemas/{event_type}.v{}.json", event.version());
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            Validator::new(&fs::read_to_string(path).unwrap())
        });
        let document = serde_json::to_value(event).map_err(|e| e.to_string())?;
        let errors = schema.validate(&document).errors;
        if errors.is_empty() {
            Ok(())
        } else {
            Err(format!("{errors:#?}\nin {document:#}"))
        }
    }
}
