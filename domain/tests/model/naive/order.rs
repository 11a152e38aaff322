//! An order after it was placed: its figures as quantities and products change, and what returns
//! are worth.

use domain::order::event::{LineQuantity, Proposal, ReturnCause, ReturnRequested};
use rust_decimal::Decimal;

use super::{
    money, number,
    place::{Line, Placed},
    round2, round4,
    sums::{Extra, Row, Sums, sums},
};

#[derive(Debug, Clone)]
pub struct Order {
    pub lines: Vec<Line>,
    pub discounts: Vec<Extra>,
    pub fees: Vec<Extra>,
    pub sums: Sums,
    returns: Vec<Returned>,
}

/// What came back at once.
#[derive(Debug, Clone)]
struct Returned {
    /// Line, quantity, value.
    lines: Vec<(i32, Decimal, Decimal)>,
    fees: Decimal,
    refund: Decimal,
    waived: Decimal,
}

/// What a return is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Worth {
    pub values: Vec<Decimal>,
    pub fees: Decimal,
    pub refund: Decimal,
    pub waived: Decimal,
}

/// What the customer paid until now, and what they are promised back because it was too much.
#[derive(Debug, Clone, Copy)]
pub struct Paid {
    pub amount: Decimal,
    pub too_much: Decimal,
}

impl Order {
    pub fn new(placed: Placed) -> Self {
        Self {
            lines: placed.lines,
            discounts: placed.discounts,
            fees: placed.fees,
            sums: placed.sums,
            returns: Vec::new(),
        }
    }

    /// Lines have other quantities now.
    pub fn change(&mut self, wanted: &[LineQuantity]) {
        for wanted in wanted {
            let line = self.line_mut(wanted.line_number);
            let (price, discount) = (line.price, line.discount);
            set(line, price, number(wanted.quantity), discount);
        }
        self.refigure();
    }

    /// There is less of lines than ordered: a bundle that misses a part is gone.
    pub fn short(&mut self, left: &[LineQuantity]) {
        let mut wanted = left.to_vec();
        for left in left {
            let bundle = self.line_mut(left.line_number).bundle;
            for line in self
                .lines
                .iter()
                .filter(|l| bundle.is_some() && l.bundle == bundle)
            {
                wanted.retain(|w| i32::from(w.line_number) != line.number);
                wanted.push(LineQuantity {
                    line_number: u16::try_from(line.number).unwrap(),
                    quantity: domain::money::Quantity::ZERO,
                });
            }
        }
        self.change(&wanted);
    }

    /// Another product takes a line's place, at its own price. What the old one's price was below
    /// its original price goes with it; a discount beyond that stays.
    pub fn substitute(&mut self, proposal: &Proposal) {
        let line = self.line_mut(proposal.line_number);
        let gap = line.gross() - round4(line.unit * line.quantity);
        let kept = (line.discount - gap).max(Decimal::ZERO);
        let new = &proposal.replacement;
        let quantity = number(new.quantity).min(line.quantity);
        line.sku = new.sku.as_str().to_owned();
        line.unit = money(new.unit_price);
        set(line, money(new.unit_price), quantity, kept);
        self.refigure();
    }

    fn line_mut(&mut self, number: u16) -> &mut Line {
        let number = i32::from(number);
        self.lines.iter_mut().find(|l| l.number == number).unwrap()
    }

    fn refigure(&mut self) {
        let rows: Vec<Row> = self.lines.iter().map(Line::row).collect();
        let mut left: Decimal = rows.iter().map(|r| r.gross - r.discount).sum();
        for discount in self.discounts.iter_mut().filter(|d| !d.informational) {
            discount.amount = discount.amount.min(left);
            left -= discount.amount;
        }
        if self.lines.iter().all(|l| l.quantity.is_zero()) {
            self.fees.clear();
        }
        self.sums = sums(&rows, &self.discounts, &self.fees);
    }

    /// What a return is worth: of each line its part of what the customer pays for it, the last of
    /// it the rest. The sum of all that came back is rounded to the satang as the cash due is; what
    /// was not paid yet is waived, and the rest is given back.
    pub fn worth(&self, request: &ReturnRequested, paid: Paid, with_fees: bool) -> Worth {
        let values: Vec<Decimal> = request
            .lines
            .iter()
            .map(|back| {
                let place = self.place(back.line_number);
                let (line, sums) = (&self.lines[place], &self.sums.rows[place]);
                let whole = sums.net - sums.share + sums.on_top;
                let before = self.returned(line.number);
                let so_far = before.0 + number(back.quantity);
                round4(whole * so_far / line.quantity) - before.1
            })
            .collect();
        let counted = self.fees.iter().filter(|f| with_fees && !f.informational);
        let fees = counted.map(|f| f.amount + f.on_top()).sum();
        let due = self.sums.cash_due;
        if request.cause == ReturnCause::Undelivered {
            return Worth {
                values,
                fees,
                refund: paid.amount,
                waived: (due - paid.amount).max(Decimal::ZERO),
            };
        }
        let of_returns =
            |part: fn(&Returned) -> Decimal| -> Decimal { self.returns.iter().map(part).sum() };
        let earlier = of_returns(|r| r.fees + r.lines.iter().map(|l| l.2).sum::<Decimal>());
        let (promised, waived) = (of_returns(|r| r.refund), of_returns(|r| r.waived));
        let so_far = round2(earlier + values.iter().sum::<Decimal>() + fees);
        let cash = so_far - promised - waived;
        let refund = cash.min((paid.amount - promised - paid.too_much).max(Decimal::ZERO));
        let unpaid = (due - paid.amount - waived).max(Decimal::ZERO);
        Worth {
            values,
            fees,
            refund,
            waived: (cash - refund).min(unpaid),
        }
    }

    /// Goods come back for what [`Self::worth`] says.
    pub fn take_back(&mut self, request: &ReturnRequested, worth: Worth) {
        let lines = request.lines.iter().zip(worth.values);
        let lines =
            lines.map(|(back, value)| (i32::from(back.line_number), number(back.quantity), value));
        self.returns.push(Returned {
            lines: lines.collect(),
            fees: worth.fees,
            refund: worth.refund,
            waived: worth.waived,
        });
    }

    /// What all that came back is worth in cash.
    pub fn worth_of_returns(&self) -> Decimal {
        let values = self.returns.iter();
        round2(
            values
                .map(|r| r.fees + r.lines.iter().map(|l| l.2).sum::<Decimal>())
                .sum(),
        )
    }

    /// What the customer need not pay any more.
    pub fn waived(&self) -> Decimal {
        self.returns.iter().map(|r| r.waived).sum()
    }

    /// What returns promise the customer.
    pub fn promised(&self) -> Decimal {
        self.returns.iter().map(|r| r.refund).sum()
    }

    fn place(&self, number: u16) -> usize {
        let number = i32::from(number);
        self.lines.iter().position(|l| l.number == number).unwrap()
    }

    /// How much of a line came back so far, and for what.
    fn returned(&self, number: i32) -> (Decimal, Decimal) {
        let lines = self.returns.iter().flat_map(|r| &r.lines);
        lines
            .filter(|l| l.0 == number)
            .fold((Decimal::ZERO, Decimal::ZERO), |sum, l| {
                (sum.0 + l.1, sum.1 + l.2)
            })
    }
}

/// A line at another price or quantity: its discount shrinks or grows in proportion.
fn set(line: &mut Line, price: Decimal, quantity: Decimal, discount: Decimal) {
    let before = line.quantity;
    line.price = price;
    line.quantity = quantity;
    line.discount = if before.is_zero() {
        Decimal::ZERO
    } else {
        round4(discount * quantity / before).min(line.gross())
    };
}
