//! What the sums of an order must keep to when it is placed and when its quantities change.

use crate::{
    money::Money,
    order::{event::Totals, facts::StoreFacts},
    refusal::Code,
    validate::Problems,
};

/// The least order total.
const MIN_ORDER_TOTAL: Money = Money::from_units(100_000);
/// The most discount, in percent of the original prices.
const MAX_DISCOUNT_PERCENT: i128 = 90;
/// The least cash on delivery.
const MIN_COD: Money = Money::from_units(10_000);

/// At least 10.00, and at most 90% off the original prices, which come to `gross`.
pub(super) fn check_totals(problems: &mut Problems, totals: &Totals, gross: Money) {
    let total = totals.order_total;
    if total < MIN_ORDER_TOTAL {
        let message = format!("the order total is {total}, the least is {MIN_ORDER_TOTAL}");
        problems.add(Code::MinOrderValue, "", message);
    }
    let discount = totals.total_discount;
    if i128::from(discount.units()) * 100 > i128::from(gross.units()) * MAX_DISCOUNT_PERCENT {
        let message = format!(
            "the discounts come to {discount}, the most is {MAX_DISCOUNT_PERCENT}% of {gross}"
        );
        problems.add(Code::MaxDiscountPercent, "", message);
    }
}

/// Whether the store takes `due` as cash on delivery. An unknown store is a problem of its own; what
/// it offers is then not known either.
pub(super) fn check_cod(
    problems: &mut Problems,
    path: &str,
    store: Option<&StoreFacts>,
    due: Money,
) {
    let Some(store) = store else { return };
    let problem = match store.cod_limit {
        None => "cash on delivery is not offered at this store".to_owned(),
        Some(limit) if due > limit => {
            format!("cash on delivery is limited to {limit} here, the order comes to {due}")
        }
        Some(_) if due < MIN_COD => format!("cash on delivery starts at {MIN_COD}"),
        Some(_) => return,
    };
    problems.add(Code::ErrInvalidPaymentMethod, path, problem);
}
