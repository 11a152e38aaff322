//! Cal A to F.

use rust_decimal::Decimal;

use super::{round2, round4, shares, vat_inside};

/// What the sums are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub gross: Decimal,
    pub discount: Decimal,
    pub rate: Decimal,
    pub is_tax_included: bool,
}

/// A fee, or a discount of the whole order.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra {
    pub amount: Decimal,
    pub rate: Decimal,
    pub is_tax_included: bool,
    pub informational: bool,
}

impl Extra {
    pub fn inside(&self) -> Decimal {
        if self.is_tax_included {
            vat_inside(self.amount, self.rate)
        } else {
            Decimal::ZERO
        }
    }

    pub fn on_top(&self) -> Decimal {
        if self.is_tax_included {
            Decimal::ZERO
        } else {
            round4(self.amount * self.rate)
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct RowSums {
    pub net: Decimal,
    pub share: Decimal,
    pub inside: Decimal,
    pub on_top: Decimal,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    pub rows: Vec<RowSums>,
    pub a_sub_total: Decimal,
    pub b_total_charge: Decimal,
    pub c_order_total: Decimal,
    pub d_total_discount: Decimal,
    pub e_total_taxes: Decimal,
    pub f_informational_taxes: Decimal,
    pub fees: Decimal,
    pub cash_due: Decimal,
}

pub fn sums(rows: &[Row], discounts: &[Extra], fees: &[Extra]) -> Sums {
    let counted = |extras: &[Extra]| -> Vec<Extra> {
        extras
            .iter()
            .filter(|e| !e.informational)
            .cloned()
            .collect()
    };
    let (discounts, fees) = (counted(discounts), counted(fees));
    let order_discount: Decimal = discounts.iter().map(|d| d.amount).sum();
    let nets: Vec<Decimal> = rows.iter().map(|r| r.gross - r.discount).collect();
    let shared = shares(order_discount, &nets);
    let rows_sums: Vec<RowSums> = rows
        .iter()
        .zip(nets.iter().zip(shared))
        .map(|(row, (net, share))| {
            let base = net - share;
            let (inside, on_top) = if row.is_tax_included {
                (vat_inside(base, row.rate), Decimal::ZERO)
            } else {
                (Decimal::ZERO, round4(base * row.rate))
            };
            RowSums {
                net: *net,
                share,
                inside,
                on_top,
            }
        })
        .collect();
    let a: Decimal = nets.iter().sum();
    let e = rows_sums.iter().map(|r| r.on_top).sum::<Decimal>()
        + fees.iter().map(Extra::on_top).sum::<Decimal>();
    let f = rows_sums.iter().map(|r| r.inside).sum::<Decimal>()
        + fees.iter().map(Extra::inside).sum::<Decimal>();
    let fee_sum: Decimal = fees.iter().map(|f| f.amount).sum();
    let b = a + e + fee_sum;
    let c = b - order_discount;
    Sums {
        rows: rows_sums,
        a_sub_total: a,
        b_total_charge: b,
        c_order_total: c,
        d_total_discount: rows.iter().map(|r| r.discount).sum::<Decimal>() + order_discount,
        e_total_taxes: e,
        f_informational_taxes: f,
        fees: fee_sum,
        cash_due: round2(c),
    }
}
