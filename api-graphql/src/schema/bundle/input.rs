//! The inputs of the commands on bundles. Field names are the domain's, so that a problem's path names the input's
//! field.

use async_graphql::{ID, InputObject, OneofObject};
use domain::{
    bundle::{Bundle, BundleCommand, BundleRules, Component, DailyHours, Definition, Schedule},
    ids::BundleId,
};

use super::definition::{BundleKind, BundleReturns, ComponentRole};
use crate::schema::{
    command::{Fields, Stated, Statement, command_input},
    problem::Problem,
    scalars::{DateTime, Decimal, Uuid},
};

/// What a bundle is.
#[derive(Debug, Clone, InputObject)]
pub struct BundleDefinitionInput {
    /// The SKU that a flagged line sells the whole bundle under.
    pub sku: String,
    /// Name in Thai; one of the two names must be there.
    pub name_th: Option<String>,
    /// Name in English.
    pub name_en: Option<String>,
    /// What kind of offer it is.
    pub kind: BundleKind,
    /// The products, 2 to 20.
    pub components: Vec<BundleComponentInput>,
    /// How its price comes about.
    pub pricing: BundlePricingInput,
    /// When it is offered; always when absent.
    pub schedule: Option<BundleScheduleInput>,
    /// Where it is offered; everywhere when empty.
    #[graphql(default)]
    pub stores: Vec<ID>,
    /// Among bundles that match the same lines, the highest wins; ties go to the smaller id.
    #[graphql(default)]
    pub priority: i32,
    /// Whether ordinary lines that hold all its components become the bundle.
    #[graphql(default)]
    pub match_lines: bool,
    /// Whether single components may be returned.
    #[graphql(default_with = "BundleReturns::Whole")]
    pub returns: BundleReturns,
}

/// One product of a bundle.
#[derive(Debug, Clone, InputObject)]
pub struct BundleComponentInput {
    /// The product.
    pub sku: String,
    /// Name in Thai.
    pub name_th: Option<String>,
    /// Name in English.
    pub name_en: Option<String>,
    /// How much of it one bundle holds.
    pub quantity: Decimal,
    /// What one unit costs apart.
    pub unit_price: Decimal,
    /// Its part in the bundle.
    #[graphql(default_with = "ComponentRole::Main")]
    pub role: ComponentRole,
    /// VAT rate; 0.0700 when absent.
    pub tax_rate: Option<Decimal>,
    /// Whether picking may offer another product for it.
    #[graphql(default)]
    pub substitutable: bool,
    /// How far that product's price may lie above this one's; 0.2000 when absent.
    pub max_rise: Option<Decimal>,
}

/// How a bundle's price comes about: exactly one of these.
#[derive(Debug, Clone, OneofObject)]
pub enum BundlePricingInput {
    /// One price for all; the discount is shared by value.
    FixedPrice(Decimal),
    /// A share off the components' prices, above 0 and at most 0.9000.
    PercentOff(Decimal),
    /// So much off one bundle's worth of each component, in their order; nothing for those beyond the list.
    ComponentsOff(Vec<Decimal>),
    /// Components that come free with the others, counted from 0.
    FreeComponents(Vec<i32>),
}

/// When a bundle is offered, by Bangkok's clock.
#[derive(Debug, Clone, InputObject)]
pub struct BundleScheduleInput {
    /// From this moment on; from the beginning when absent.
    pub from: Option<DateTime>,
    /// Up to but not including this moment; for ever when absent.
    pub until: Option<DateTime>,
    /// Days of the week, 1 = Monday to 7 = Sunday; every day when empty.
    #[graphql(default)]
    pub weekdays: Vec<i32>,
    /// The hours of a day; the whole day when absent.
    pub hours: Option<DailyHoursInput>,
}

/// Hours of a day in minutes since midnight in Bangkok; over midnight when `from` is above `to`.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct DailyHoursInput {
    /// Start, inclusive.
    pub from: i32,
    /// End, exclusive.
    pub to: i32,
}

/// Hours as the domain has them.
pub(crate) fn hours(fields: &mut Fields, path: &str, h: DailyHoursInput) -> Option<DailyHours> {
    let from = fields.number(&format!("{path}.from"), h.from);
    let to = fields.number(&format!("{path}.to"), h.to);
    Some(DailyHours {
        from: from?,
        to: to?,
    })
}

impl BundleDefinitionInput {
    fn definition(self) -> Result<Definition, Vec<Problem>> {
        let mut fields = Fields::default();
        let definition = self.typed(&mut fields);
        definition.ok_or_else(|| fields.problems())
    }

    /// `None` when a part does not fit: then `fields` knows which.
    fn typed(self, fields: &mut Fields) -> Option<Definition> {
        let sku = fields.id("definition.sku", &self.sku);
        let components = all(self.components, |at, c| {
            component(fields, &format!("definition.components[{at}].sku"), c)
        });
        let pricing = rules(fields, self.pricing);
        let schedule = self
            .schedule
            .map_or_else(|| Some(Schedule::default()), |s| schedule(fields, s));
        let stores = all(self.stores, |at, id| {
            fields.id(&format!("definition.stores[{at}]"), id.as_str())
        });
        Some(Definition {
            sku: sku?,
            name_th: self.name_th,
            name_en: self.name_en,
            kind: self.kind.into(),
            components: components?,
            pricing: pricing?,
            schedule: schedule?,
            stores: stores?,
            priority: self.priority,
            match_lines: self.match_lines,
            returns: self.returns.into(),
        })
    }
}

/// Converts every item, also behind one that does not fit, so that all of those are named.
fn all<T, U>(items: Vec<T>, mut convert: impl FnMut(usize, T) -> Option<U>) -> Option<Vec<U>> {
    let converted: Vec<_> = items
        .into_iter()
        .enumerate()
        .map(|(at, item)| convert(at, item))
        .collect();
    converted.into_iter().collect()
}

fn component(fields: &mut Fields, path: &str, c: BundleComponentInput) -> Option<Component> {
    Some(Component {
        sku: fields.id(path, &c.sku)?,
        name_th: c.name_th,
        name_en: c.name_en,
        quantity: c.quantity.into(),
        unit_price: c.unit_price.0,
        role: c.role.into(),
        tax_rate: c.tax_rate.map(Into::into),
        substitutable: c.substitutable,
        max_rise: c.max_rise.map(Into::into),
    })
}

fn rules(fields: &mut Fields, pricing: BundlePricingInput) -> Option<BundleRules> {
    Some(match pricing {
        BundlePricingInput::FixedPrice(price) => BundleRules::FixedPrice { price: price.0 },
        BundlePricingInput::PercentOff(off) => BundleRules::Percent { off: off.into() },
        BundlePricingInput::ComponentsOff(off) => BundleRules::ComponentDiscount {
            off: off.into_iter().map(|d| d.0).collect(),
        },
        BundlePricingInput::FreeComponents(free) => BundleRules::BuyXGetY {
            free: all(free, |at, n| {
                fields.number(&format!("definition.pricing.freeComponents[{at}]"), n)
            })?,
        },
    })
}

fn schedule(fields: &mut Fields, s: BundleScheduleInput) -> Option<Schedule> {
    let weekdays = all(s.weekdays, |at, day| {
        fields.number(&format!("definition.schedule.weekdays[{at}]"), day)
    });
    let hours = s.hours.map_or(Some(None), |h| {
        hours(fields, "definition.schedule.hours", h).map(Some)
    });
    Some(Schedule {
        from: s.from.map(|t| t.0),
        until: s.until.map(|t| t.0),
        weekdays: weekdays?,
        hours: hours?,
    })
}

/// A new bundle.
#[derive(Debug, Clone, InputObject)]
pub struct DefineBundleInput {
    /// Your name for this command. Sending it again repeats the receipt, not the effect.
    pub command_id: Uuid,
    /// Its id for good: 1 to 40 capital letters, digits, `-` and `_`.
    pub bundle_id: ID,
    /// What it is.
    pub definition: BundleDefinitionInput,
}

impl From<DefineBundleInput> for Statement<Bundle> {
    fn from(i: DefineBundleInput) -> Self {
        let mut fields = Fields::default();
        let id: Option<BundleId> = fields.id("bundleId", i.bundle_id.as_str());
        let definition = i.definition.typed(&mut fields);
        let (Some(id), Some(definition)) = (id, definition) else {
            return Err(fields.problems());
        };
        let command = BundleCommand::Define { definition };
        Ok(Stated::named(i.command_id, id, None, command))
    }
}

command_input! {
    /// The next version of a bundle's definition: replaces all of it.
    ReviseBundleInput on Bundle, bundle_id: "The bundle." {
        /// What it is from now on.
        definition: BundleDefinitionInput,
    }
    input => BundleCommand::Revise { definition: input.definition.definition()? }
}

command_input! {
    /// A command on a bundle without content of its own.
    BundleCommandInput on Bundle, bundle_id: "The bundle." {}
    input => BundleCommand::Activate
}

command_input! {
    /// A bundle that is offered no more.
    RetireBundleInput on Bundle, bundle_id: "The bundle." {
        /// Why, 1 to 500 characters.
        reason: String,
    }
    input => BundleCommand::Retire { reason: input.reason }
}

/// A price comes about in one of several ways, which have fields of other names here: the way as a whole is named.
pub(crate) fn field(path: &str) -> &str {
    const PRICING: &str = "definition.pricing";
    if path.starts_with(PRICING) {
        PRICING
    } else {
        path
    }
}
