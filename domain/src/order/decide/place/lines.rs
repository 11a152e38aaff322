//! The rules of a line.

use std::collections::HashSet;

use super::{enrich::MAX_PRODUCT_NAME, sums::check_list};
use crate::{
    ids::{Sku, check_visible},
    money::{Money, Quantity, Rate, SCALE},
    order::{
        command::LineInput,
        event::{Adjustment, Line},
    },
    pricing,
    refusal::Code,
    validate::{Problems, clean},
};

/// Most lines of a submitted order; the expansion of bundles may make more.
pub(super) const MAX_LINES: usize = 20;
/// Most discounts on one line.
const MAX_LINE_DISCOUNTS: usize = 10;
/// Longest promotion id.
const MAX_PROMOTION_ID: usize = 50;
/// Longest unit of measure.
const MAX_UOM: usize = 10;
/// DECIMAL(10,4): six digits before the point.
pub(in crate::order::decide) const MAX_QUANTITY: Quantity =
    Quantity::from_units(999_999 * SCALE + 9_999);
/// Pieces in all packs of a line: the whole part of [`MAX_QUANTITY`].
pub(in crate::order::decide) const MAX_PIECES: i64 = 999_999;
/// VAT 7%.
pub(super) const DEFAULT_TAX_RATE: Rate = Rate::from_units(700);
/// A rate of 100%: more is a mistake.
pub(super) const MAX_TAX_RATE: Rate = Rate::from_units(SCALE);
/// How far stated discounts may miss the gap between original and unit price: 0.01 THB.
const PRICE_TOLERANCE: Money = Money::from_units(100);
/// The discount that a unit price below the original one stands for.
const PRICE_REDUCTION: &str = "PRICE_REDUCTION";

/// The lines in the order they came in, with gross and discount computed; `None` where one is wrong.
pub(super) fn check(problems: &mut Problems, inputs: &[LineInput]) -> Option<Vec<Line>> {
    let before = problems.count();
    if inputs.is_empty() || inputs.len() > MAX_LINES {
        let message = format!(
            "an order has 1 to {MAX_LINES} lines, this one {}",
            inputs.len()
        );
        problems.add(Code::ErrInvalidLineItem, "lines", message);
    }
    let mut numbers = HashSet::with_capacity(MAX_LINES);
    let mut lines = Vec::with_capacity(MAX_LINES);
    for (index, input) in inputs.iter().take(MAX_LINES).enumerate() {
        let mut line = LineProblems { problems, index };
        if !numbers.insert(input.line_number) {
            line.add("lineNumber", "is taken by another line");
        }
        lines.extend(line.check(input));
    }
    (problems.count() == before).then_some(lines)
}

/// The problems of one line: they all share the beginning of their path.
struct LineProblems<'a> {
    problems: &'a mut Problems,
    index: usize,
}

impl LineProblems<'_> {
    fn path(&self, field: &str) -> String {
        format!("lines[{}].{field}", self.index)
    }

    fn add(&mut self, field: &str, problem: &str) {
        self.add_as(Code::ErrInvalidLineItem, field, problem);
    }

    fn add_as(&mut self, code: Code, field: &str, problem: &str) {
        let path = self.path(field);
        let message = format!("{path} {problem}");
        self.problems.add(code, path, message);
    }

    fn optional(&mut self, field: &str, text: Option<&String>, max: usize) -> Option<String> {
        let path = self.path(field);
        self.problems
            .optional(Code::ErrInvalidLineItem, &path, text, max)
    }

    fn check(&mut self, input: &LineInput) -> Option<Line> {
        let line_number = u16::try_from(input.line_number).ok().filter(|n| *n > 0);
        if line_number.is_none() {
            self.add(
                "lineNumber",
                &format!("must lie between 1 and {}", u16::MAX),
            );
        }
        let sku = clean(&input.sku).unwrap_or_default();
        let visible = check_visible(sku);
        let sku = Sku::new(sku).map_err(|e| e.problem);
        let sku = visible.and(sku).map_err(|e| self.add("sku", &e)).ok();
        let name_th = self.optional("nameTh", input.name_th.as_ref(), MAX_PRODUCT_NAME);
        let name_en = self.optional("nameEn", input.name_en.as_ref(), MAX_PRODUCT_NAME);
        let uom = self.optional("uom", input.uom.as_ref(), MAX_UOM);
        let promotion_id = input.promotion_id.as_ref();
        let promotion_id = self.optional("promotionId", promotion_id, MAX_PROMOTION_ID);
        let tax_rate = input.tax_rate.unwrap_or(DEFAULT_TAX_RATE);
        if tax_rate.is_negative() || tax_rate > MAX_TAX_RATE {
            self.add("taxRate", "must lie between 0.0000 and 1.0000");
        }
        let is_priced = self.check_quantity(input) & self.check_pack(input);
        let original_unit_price = input.original_unit_price.unwrap_or(input.unit_price);
        let is_priced = self.check_prices(input, original_unit_price) & is_priced;
        let path = self.path("discounts");
        let code = Code::ErrInvalidLineItem;
        let discounts = check_list(
            self.problems,
            code,
            &path,
            &input.discounts,
            MAX_LINE_DISCOUNTS,
        );
        if !is_priced {
            return None;
        }
        let (gross, discounts, discount) = self.discount(input, original_unit_price, discounts?)?;
        Some(Line {
            line_number: line_number?,
            sku: sku?,
            name_th,
            name_en,
            short_description: None,
            image_url: None,
            uom,
            quantity: input.quantity,
            is_weight_item: input.is_weight_item,
            pack: input.pack.map(Into::into),
            bundle: None,
            unit_price: input.unit_price,
            original_unit_price,
            discounts,
            is_gift: input.is_gift,
            promotion_id,
            tax_rate,
            is_tax_included: input.is_tax_included.unwrap_or(true),
            gross,
            discount,
            net: Money::ZERO,
            order_discount_share: Money::ZERO,
            tax_contained: Money::ZERO,
            tax_added: Money::ZERO,
        })
    }

    fn check_quantity(&mut self, input: &LineInput) -> bool {
        let quantity = input.quantity;
        let problem = if !quantity.is_positive() {
            "must be above zero".to_owned()
        } else if quantity > MAX_QUANTITY {
            format!("must be at most {MAX_QUANTITY}")
        } else if !input.is_weight_item && quantity.units() % SCALE != 0 {
            "must be whole: only weighed goods come in fractions".to_owned()
        } else {
            return true;
        };
        self.add("quantity", &problem);
        false
    }

    /// A pack line counts and prices packs, so that `pack` and the line must agree. Packs are bundles of one
    /// product: their problems have the bundles' code.
    fn check_pack(&mut self, input: &LineInput) -> bool {
        let Some(pack) = input.pack else { return true };
        let before = self.problems.count();
        let code = Code::ErrInvalidBundle;
        let (ordered, units) = (i64::from(pack.ordered), i64::from(pack.units_per_pack));
        if ordered <= 0 {
            self.add_as(code, "pack.ordered", "must be above zero");
        } else if input.quantity.units() != ordered * SCALE {
            self.add_as(
                code,
                "quantity",
                "must equal pack.ordered: a pack line counts packs",
            );
        }
        if units <= 0 {
            self.add_as(code, "pack.unitsPerPack", "must be above zero");
        } else if ordered > 0 && ordered * units > MAX_PIECES {
            let problem = format!("makes more than {MAX_PIECES} pieces of the packs ordered");
            self.add_as(code, "pack.unitsPerPack", &problem);
        }
        if !pack.unit_price.is_positive() {
            self.add_as(code, "pack.unitPrice", "must be above zero");
        } else if pack.unit_price != input.unit_price {
            self.add_as(
                code,
                "unitPrice",
                "must equal pack.unitPrice: a pack line is priced per pack",
            );
        }
        if input.is_weight_item {
            self.add_as(code, "isWeightItem", "must not be set on a pack line");
        }
        self.problems.count() == before
    }

    fn check_prices(&mut self, input: &LineInput, original: Money) -> bool {
        if input.unit_price.is_negative() {
            self.add("unitPrice", "must not be negative");
        } else if input.unit_price > original {
            self.add("unitPrice", "must not exceed originalUnitPrice");
        } else {
            return true;
        }
        false
    }

    /// Gross, discounts and their sum. The formula takes the stated discounts off the *original*
    /// price; a unit price below it says how much that must be at least. Where no discount that
    /// counts is stated, the gap is the discount; where they fall short of the gap, nobody can
    /// tell which of the two prices the customer saw.
    fn discount(
        &mut self,
        input: &LineInput,
        original: Money,
        mut discounts: Vec<Adjustment>,
    ) -> Option<(Money, Vec<Adjustment>, Money)> {
        let amounts = || {
            let gross = pricing::extend(original, input.quantity)?;
            let gap = gross.checked_sub(pricing::extend(input.unit_price, input.quantity)?)?;
            let counted = discounts
                .iter()
                .filter(|d| !d.informational)
                .map(|d| d.amount);
            Some((gross, gap, pricing::add(counted)?))
        };
        let Some((gross, gap, stated)) = amounts() else {
            self.add(
                "unitPrice",
                "times quantity exceeds 14 digits before the point",
            );
            return None;
        };
        if stated > gross {
            let problem = format!("come to {stated}, more than the line's {gross}");
            self.add("discounts", &problem);
            return None;
        }
        if stated.is_zero() && gap.is_positive() {
            discounts.push(Adjustment {
                kind: PRICE_REDUCTION.to_owned(),
                amount: gap,
                ..Adjustment::default()
            });
            return Some((gross, discounts, gap));
        }
        if stated.units().saturating_add(PRICE_TOLERANCE.units()) < gap.units() {
            let problem = format!(
                "come to {stated}, less than the {gap} by which unitPrice lies below \
                 originalUnitPrice: state the whole, or mark what the price holds informational"
            );
            self.add("discounts", &problem);
            return None;
        }
        Some((gross, discounts, stated))
    }
}
