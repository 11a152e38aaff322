//! Orders: named by the ledger, bound to their store.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::store::{Claim, SubjectKey};
use domain::{
    bundle::Offer,
    ids::{CustomerId, OrderId, PartnerId, Sku, StoreId},
    order::{
        Facts, Order, OrderCommand, OrderEvent,
        command::{CollectCash, Contact, PlaceOrder},
        event::{Placed, Sealed},
        facts::Products,
    },
    validate::{clean, clean_option},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Asked, Kind, Lane, Lanes, Scope, check_partner};
use crate::{
    aggregate::Fact,
    error::CommandError,
    facts::{Gathered, Sources},
    load::unavailable,
    numbers,
    personal::{self, Subject},
    steps::{Spent, StepMicros, micros},
};

/// Claim scope of order numbers.
pub const NUMBER: &str = "number";

impl Kind for Order {
    fn lane(lanes: &Lanes) -> &Lane<Self> {
        &lanes.orders
    }

    fn draw_id() -> Option<OrderId> {
        Some(OrderId(Uuid::now_v7()))
    }

    fn id_of_nobody() -> Option<OrderId> {
        Some(OrderId(Uuid::nil()))
    }

    /// Which store a new order may name is the decision's to say.
    fn scope<'a>(_id: &'a OrderId, state: &'a Self, _command: &OrderCommand) -> Scope<'a> {
        if state.exists() {
            Scope::Store(&state.store_id)
        } else {
            Scope::Open
        }
    }

    async fn gather(
        sources: &Sources,
        asked: Asked<'_, Self>,
    ) -> Result<Gathered<Facts>, CommandError> {
        if let OrderCommand::Place(place) = asked.command {
            return for_placing(sources, &asked, place).await;
        }
        if let OrderCommand::CollectCash(collect) = asked.command
            && let Some(Ok(partner)) = clean(&collect.partner_id).map(PartnerId::new)
        {
            check_partner(sources, &asked, &partner).await?;
        }
        let store = sources
            .stores
            .facts(&asked.state.store_id, asked.now)
            .await
            .map_err(unavailable)?;
        let mut facts = Facts::new(asked.now, store);
        facts.placed_at = Some(asked.created_at);
        facts.bundles = sources.bundles.offers().await.map_err(unavailable)?;
        let mut key = None;
        match asked.command {
            OrderCommand::ProposeSubstitution(offer) => {
                facts.products = sources.products.of([offer.sku.as_str()]).await;
            }
            OrderCommand::CollectCash(CollectCash {
                proof: Some(proof), ..
            }) => {
                let customer = asked.state.customer_id.as_ref();
                let subject = customer.map_or_else(|| Subject::order(*asked.id), Subject::customer);
                if let Some(proof) = proof.normalised() {
                    (facts.sealed, key) = sealed(sources, &asked, &proof, &subject).await?;
                }
            }
            _ => {}
        }
        Ok(Gathered {
            facts,
            key,
            lookup: Duration::ZERO,
            claims: Vec::new(),
        })
    }

    /// The order's number and each partner's reference.
    fn claims(events: &[Fact<OrderEvent>]) -> Vec<Claim> {
        let mut claims = Vec::new();
        for Fact(event) in events {
            if let OrderEvent::Placed(placed) = event {
                claims.push(Claim {
                    scope: NUMBER.to_owned(),
                    value: placed.number.to_string(),
                });
                claims.extend(references(placed));
            }
        }
        claims
    }

    fn draws_number(command: &OrderCommand) -> bool {
        matches!(command, OrderCommand::Place(place) if clean_option(place.number.as_ref()).is_none())
    }

    fn steps(command: &OrderCommand, spent: &Spent) -> StepMicros {
        let whole = Some(micros(spent.whole));
        let mut steps = StepMicros::default();
        match command {
            OrderCommand::Place(_) => {
                steps = spent.told;
                steps.enrich = steps.enrich.map(|own| own + micros(spent.lookup));
            }
            OrderCommand::Allocate => steps.allocate = whole,
            OrderCommand::Pay(_) => steps.pay = whole,
            OrderCommand::Release => steps.release = whole,
            _ => {}
        }
        steps
    }
}

/// Claim scope of the ids by which a system knows orders.
pub(super) fn reference_scope(system: &str) -> String {
    format!("ref:{system}")
}

fn references(placed: &Placed) -> impl Iterator<Item = Claim> + '_ {
    placed.refs.iter().map(|r| Claim {
        scope: reference_scope(r.system.as_str()),
        value: r.reference.clone(),
    })
}

async fn for_placing(
    sources: &Sources,
    asked: &Asked<'_, Order>,
    place: &PlaceOrder,
) -> Result<Gathered<Facts>, CommandError> {
    // Of a store outside the caller's scope nothing is known, not even whether there is one.
    let store = match StoreId::new(clean(&place.store_id).unwrap_or_default()) {
        Ok(store) if asked.actor.stores.covers(&store) => sources
            .stores
            .facts(&store, asked.now)
            .await
            .map_err(unavailable)?,
        _ => None,
    };
    let mut facts = Facts::new(asked.now, store);
    facts.bundles = sources.bundles.offers().await.map_err(unavailable)?;
    let asked_at = Instant::now();
    facts.products = products(sources, place, &facts.bundles).await;
    let lookup = asked_at.elapsed();
    if clean_option(place.number.as_ref()).is_none() {
        let number = if asked.is_rehearsal {
            numbers::undrawn(asked.now)
        } else {
            sources.numbers.next(asked.now).await
        };
        facts.number = Some(number.map_err(unavailable)?);
    }
    let mut key = None;
    if let Some(contact) = place.contact.as_ref().and_then(Contact::normalised) {
        let customer = customer_of(place);
        let subject = match &customer {
            Some(customer) => Subject::customer(customer),
            None => Subject::new_order(*asked.id),
        };
        (facts.sealed, key) = sealed(sources, asked, &contact, &subject).await?;
        if let (Some(key), Some(phone)) = (&mut key, &contact.phone) {
            key.phone = sources.vault.phone_hash(phone);
        }
    }
    Ok(Gathered {
        facts,
        key,
        lookup,
        claims: Vec::new(),
    })
}

/// The customer that an order names, as the decision reads it.
pub(crate) fn customer_of(place: &PlaceOrder) -> Option<CustomerId> {
    CustomerId::new(clean_option(place.customer_id.as_ref())?).ok()
}

/// What the catalogue says of an order's SKUs, those of the bundles that its lines name included.
async fn products(sources: &Sources, place: &PlaceOrder, offers: &Arc<Vec<Offer>>) -> Products {
    let lines = place.lines.iter().map(|line| line.sku.as_str());
    let named = place.lines.iter().filter_map(|line| line.bundle.as_ref());
    let components = named
        .filter_map(|bundle| {
            offers
                .iter()
                .find(|o| Some(o.id.as_str()) == clean(&bundle.bundle_id))
        })
        .flat_map(|offer| &offer.definition.components)
        .map(|component| Sku::as_str(&component.sku));
    sources.products.of(lines.chain(components)).await
}

async fn sealed<T: Serialize + Sync>(
    sources: &Sources,
    asked: &Asked<'_, Order>,
    plain: &T,
    subject: &Subject,
) -> Result<(Option<Sealed>, Option<SubjectKey>), CommandError> {
    if asked.is_rehearsal {
        return Ok((Some(personal::unsealed()), None));
    }
    let sealed = sources.vault.seal(plain, subject).await?;
    Ok((Some(sealed.data), Some(sealed.key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_nobody_and_no_number() {
        let named = |customer: &str, number: &str| PlaceOrder {
            customer_id: Some(customer.into()),
            number: Some(number.into()),
            ..PlaceOrder::default()
        };
        for blank in ["", " ", "-", " undefined "] {
            let place = named(blank, blank);
            assert_eq!(customer_of(&place), None, "{blank:?}");
            assert!(Order::draws_number(&OrderCommand::Place(Box::new(place))));
        }
        let place = named(" C-9 ", "QC-2026-11-24-000001");
        assert_eq!(customer_of(&place).unwrap().as_str(), "C-9");
        assert!(!Order::draws_number(&OrderCommand::Place(Box::new(place))));
    }

    #[test]
    fn each_step_of_the_workflow_is_timed() {
        let spent = Spent {
            lookup: Duration::from_micros(20),
            whole: Duration::from_micros(90),
            told: StepMicros {
                validate: Some(5),
                enrich: Some(1),
                calculate: Some(7),
                ..StepMicros::default()
            },
        };
        let steps = |command| Order::steps(&command, &spent);
        let place = steps(OrderCommand::Place(Box::default()));
        assert_eq!(
            (place.validate, place.enrich, place.calculate),
            (Some(5), Some(21), Some(7))
        );
        assert_eq!(steps(OrderCommand::Allocate).allocate, Some(90));
        assert_eq!(steps(OrderCommand::Release).release, Some(90));
        assert!(steps(OrderCommand::ReceiveReturn).is_empty());
    }
}
