//! The rules of a definition.

use std::collections::HashSet;

use super::{
    DailyHours,
    definition::{BundleRules, Component, Definition, Schedule},
};
use crate::{
    money::{Money, Quantity, Rate, SCALE},
    pricing::add,
    refusal::{Code, Refusal},
    validate::{Problems, is_plausible},
};

/// A bundle of one product is a price, and one of more than twenty no screen shows.
const COMPONENTS: std::ops::RangeInclusive<usize> = 2..=20;
/// Most pieces of a component in one bundle.
const MAX_PIECES: Quantity = Quantity::from_units(100 * SCALE);
/// Most stores that a definition names.
const MAX_STORES: usize = 200;
/// Longest name.
const MAX_NAME: usize = 200;
/// The most that a bundle takes off by a rate: 90%, as of a whole order.
const MAX_OFF: Rate = Rate::from_units(9_000);
/// The most that another product may cost more than a component: the chain's limit of 20%.
const MAX_RISE: Rate = Rate::from_units(2_000);
/// Priorities.
const PRIORITIES: std::ops::RangeInclusive<i32> = -1_000..=1_000;

/// The definition with its names cleaned.
///
/// # Errors
/// Every broken rule, all as [`Code::ErrInvalidBundle`] with the field's path.
pub(super) fn definition(given: &Definition) -> Result<Definition, Refusal> {
    let mut check = Check(Problems::default());
    let definition = Definition {
        name_th: check.name("nameTh", given.name_th.as_ref()),
        name_en: check.name("nameEn", given.name_en.as_ref()),
        components: check.components(given),
        ..given.clone()
    };
    if definition.name_th.is_none() && definition.name_en.is_none() {
        check.add("nameTh", "or nameEn must be given");
    }
    check.pricing(given);
    check.schedule(&given.schedule);
    check.stores(given);
    if !PRIORITIES.contains(&given.priority) {
        let (least, most) = (PRIORITIES.start(), PRIORITIES.end());
        check.add("priority", &format!("must lie between {least} and {most}"));
    }
    check.0.finish(Some(definition))
}

/// Whether hours of a day make sense: inside the day, and not empty.
pub(crate) fn hours(hours: DailyHours) -> Result<(), &'static str> {
    const MINUTES: u16 = 24 * 60;
    if hours.from >= MINUTES || hours.to >= MINUTES {
        Err("must be minutes since midnight, 0 to 1439")
    } else if hours.from == hours.to {
        Err("must not begin and end at the same minute: leave them out for the whole day")
    } else {
        Ok(())
    }
}

struct Check(Problems);

impl Check {
    fn add(&mut self, field: &str, problem: &str) {
        let path = format!("definition.{field}");
        let message = format!("{path} {problem}");
        self.0.add(Code::ErrInvalidBundle, path, message);
    }

    fn name(&mut self, field: &str, text: Option<&String>) -> Option<String> {
        let path = format!("definition.{field}");
        self.0
            .optional(Code::ErrInvalidBundle, &path, text, MAX_NAME)
    }

    fn components(&mut self, definition: &Definition) -> Vec<Component> {
        let count = definition.components.len();
        if !COMPONENTS.contains(&count) {
            let (least, most) = (COMPONENTS.start(), COMPONENTS.end());
            let problem = format!("must be {least} to {most}, not {count}");
            self.add("components", &problem);
        }
        let mut skus = HashSet::from([&definition.sku]);
        let mut components = Vec::with_capacity(count.min(*COMPONENTS.end()));
        for (index, component) in definition.components.iter().enumerate() {
            if index >= *COMPONENTS.end() {
                break;
            }
            let field = |name: &str| format!("components[{index}].{name}");
            if component.sku == definition.sku {
                self.add(&field("sku"), "must not be the bundle's own");
            } else if !skus.insert(&component.sku) {
                self.add(
                    &field("sku"),
                    "is another component's already: add up their quantities",
                );
            }
            self.component(component, &field);
            components.push(Component {
                name_th: self.name(&field("nameTh"), component.name_th.as_ref()),
                name_en: self.name(&field("nameEn"), component.name_en.as_ref()),
                ..component.clone()
            });
        }
        components
    }

    fn component(&mut self, component: &Component, field: &impl Fn(&str) -> String) {
        let quantity = component.quantity;
        if !quantity.is_positive() || quantity > MAX_PIECES || quantity.units() % SCALE != 0 {
            let problem = format!("must be whole pieces, 1 to {}", MAX_PIECES.units() / SCALE);
            self.add(&field("quantity"), &problem);
        }
        if component.unit_price.is_negative() {
            self.add(&field("unitPrice"), "must not be negative");
        }
        let within = |rate: Option<Rate>, most: Rate| {
            rate.is_none_or(|rate| !rate.is_negative() && rate <= most)
        };
        if !within(component.tax_rate, Rate::from_units(SCALE)) {
            self.add(&field("taxRate"), "must lie between 0.0000 and 1.0000");
        }
        if !within(component.max_rise, MAX_RISE) {
            let problem = format!("must lie between 0.0000 and {MAX_RISE}");
            self.add(&field("maxRise"), &problem);
        }
    }

    fn pricing(&mut self, definition: &Definition) {
        let components = &definition.components;
        let Some(worths) = definition.worths() else {
            self.add("components", "cost more than 14 digits before the point");
            return;
        };
        let Some(all) = add(worths.iter().copied()) else {
            self.add("components", "cost more than 14 digits before the point");
            return;
        };
        match &definition.pricing {
            BundleRules::FixedPrice { price } => {
                if price.is_negative() || *price > all {
                    let problem = format!(
                        "must lie between 0.0000 and {all}, what the components cost apart"
                    );
                    self.add("pricing.price", &problem);
                }
            }
            BundleRules::Percent { off } => {
                if !off.is_positive() || *off > MAX_OFF {
                    let problem = format!("must be above 0.0000 and at most {MAX_OFF}");
                    self.add("pricing.off", &problem);
                }
            }
            BundleRules::ComponentDiscount { off } => self.component_discounts(off, &worths),
            BundleRules::BuyXGetY { free } => self.free(free, components.len()),
        }
    }

    fn component_discounts(&mut self, off: &[Money], worths: &[Money]) {
        if off.len() > worths.len() {
            self.add("pricing.off", "must not be longer than the components");
        }
        for (index, (off, worth)) in off.iter().zip(worths).enumerate() {
            if off.is_negative() || off > worth {
                let problem = format!("must lie between 0.0000 and the component's {worth}");
                self.add(&format!("pricing.off[{index}]"), &problem);
            }
        }
    }

    fn free(&mut self, free: &[u16], components: usize) {
        let different: HashSet<&u16> = free.iter().collect();
        if free.is_empty() || different.len() != free.len() || free.len() >= components {
            let problem = "must name at least one component and not all, each once";
            self.add("pricing.free", problem);
        }
        if free.iter().any(|index| usize::from(*index) >= components) {
            self.add("pricing.free", "must name components, counted from 0");
        }
    }

    fn schedule(&mut self, schedule: &Schedule) {
        for (field, time) in [
            ("schedule.from", schedule.from),
            ("schedule.until", schedule.until),
        ] {
            if time.is_some_and(|time| !is_plausible(time)) {
                self.add(field, "must lie in the years 2000 to 2199");
            }
        }
        if schedule
            .from
            .zip(schedule.until)
            .is_some_and(|(from, until)| from >= until)
        {
            self.add("schedule.until", "must come after schedule.from");
        }
        let days: HashSet<&u8> = schedule.weekdays.iter().collect();
        if days.len() != schedule.weekdays.len() || days.iter().any(|d| !(1..=7).contains(*d)) {
            let problem = "must be days 1 = Monday to 7 = Sunday, each once";
            self.add("schedule.weekdays", problem);
        }
        if let Some(Err(problem)) = schedule.hours.map(hours) {
            self.add("schedule.hours", problem);
        }
    }

    fn stores(&mut self, definition: &Definition) {
        let stores = &definition.stores;
        if stores.len() > MAX_STORES {
            let problem = format!("must be at most {MAX_STORES}: leave them out for everywhere");
            self.add("stores", &problem);
        }
        let different: HashSet<_> = stores.iter().collect();
        if different.len() != stores.len() {
            self.add("stores", "must name each store once");
        }
    }
}
