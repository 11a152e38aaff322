//! A business day: some orders of one store, and the remittance that settles their cash.

use domain::{
    actor::Role,
    cash::Account,
    order::{CollectionStatus, OrderCommand, OrderEvent},
};
use rust_decimal::Decimal;

use crate::{
    basket::Mix,
    commands,
    life::Life,
    naive::{cash, money},
    placing,
    remittance::Settlement,
    rng::Rng,
    storage::{self, Schemas},
    tally::Tally,
    world::World,
};

/// Orders of four days, and a day's part of them.
pub const ORDERS_OF_FOUR_DAYS: u64 = 10;
const fn orders_of(seed: u64) -> u64 {
    1 + seed / 8 % 4
}

/// Most commands of a life, most steps of a remittance.
const MOST_COMMANDS: usize = 40;
const MOST_SETTLING: usize = 30;

/// How much is checked of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Figures, balances, statuses.
    Light,
    /// And what is stored, on some days.
    Some,
    /// And what is stored.
    Full,
}

/// On which days [`Depth::Some`] looks at what is stored, and at the schemas.
const STORED: u64 = 32;
const SCHEMAS: u64 = 64;

/// Lives a day from its seed. Answers how many orders came.
pub fn live(
    world: &World,
    seed: u64,
    depth: Depth,
    tally: &mut Tally,
    schemas: &mut Schemas,
) -> Result<u64, String> {
    Day::new(world, seed).live(depth, tally, schemas)
}

pub struct Day<'w> {
    world: &'w World,
    seed: u64,
    rng: Rng,
    mix: Mix,
    lives: Vec<Life<'w>>,
    books: Books,
    settlement: Settlement<'w>,
}

impl<'w> Day<'w> {
    pub fn new(world: &'w World, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        Self {
            world,
            seed,
            mix: *rng.pick(&[Mix::Usual, Mix::Dense]),
            rng,
            lives: Vec::new(),
            books: Books::default(),
            settlement: Settlement::new(world),
        }
    }

    pub fn live(
        &mut self,
        depth: Depth,
        tally: &mut Tally,
        schemas: &mut Schemas,
    ) -> Result<u64, String> {
        let orders = orders_of(self.seed);
        for _ in 0..orders {
            self.place(tally)?;
        }
        for life in &mut self.lives {
            walk(&mut self.rng, life, self.mix, tally)?;
            self.books.take(life);
        }
        self.books.balance(&self.lives, &self.settlement)?;
        let collected = |l: &Life<'_>| l.order.collection.status == CollectionStatus::Collected;
        if self.lives.iter().any(collected) || self.rng.permille(100) {
            self.settle(tally)?;
        }
        for life in &self.lives {
            tally.lived(life);
        }
        let is_full = depth == Depth::Full;
        let on = |days: u64| depth == Depth::Some && self.seed.is_multiple_of(days);
        if is_full || on(STORED) {
            self.lives.iter().try_for_each(storage::order)?;
            storage::remittance(&self.settlement.events, self.settlement.state())?;
        }
        if is_full && self.seed.is_multiple_of(STORED) || on(SCHEMAS) {
            for life in &self.lives {
                schemas.fit(&life.events, &[])?;
            }
            schemas.fit(&[], &self.settlement.events)?;
        }
        Ok(orders)
    }

    /// Every order event of the day.
    pub fn order_events(&self) -> impl Iterator<Item = OrderEvent> {
        self.lives
            .iter()
            .flat_map(|life| life.events.iter().cloned())
    }

    fn place(&mut self, tally: &mut Tally) -> Result<(), String> {
        let Some((placed, naive)) = placing::place(&mut self.rng, self.world, self.mix, tally)?
        else {
            tally.count("refused orders");
            return Ok(());
        };
        tally.placed(&placed);
        let index = u32::try_from(self.lives.len()).unwrap();
        self.lives
            .push(Life::new(self.world, index, placed, naive)?);
        Ok(())
    }

    /// The partner's remittance, from the first report to the bank, with corrections and returns in
    /// between.
    fn settle(&mut self, tally: &mut Tally) -> Result<(), String> {
        let Self {
            rng,
            lives,
            books,
            settlement,
            ..
        } = self;
        for _ in 0..MOST_SETTLING {
            settlement.step(rng, lives, tally)?;
            books.take_remittance(settlement);
            if rng.permille(200) && !lives.is_empty() {
                let count = lives.len();
                let life = &mut lives[rng.index(count)];
                if let Some(command) = commands::next(rng, life, Mix::Dense) {
                    ask(rng, life, &command, tally)?;
                }
            }
            for life in lives.iter_mut() {
                books.take(life);
            }
            books.balance(lives, settlement)?;
            if settlement.is_banked() {
                break;
            }
        }
        Ok(())
    }
}

/// Asks one thing after another, until nothing is left to happen or enough has.
fn walk(rng: &mut Rng, life: &mut Life<'_>, mix: Mix, tally: &mut Tally) -> Result<(), String> {
    for _ in 0..MOST_COMMANDS {
        let Some(command) = commands::next(rng, life, mix) else {
            break;
        };
        ask(rng, life, &command, tally)?;
        life.wait(rng);
    }
    Ok(())
}

fn ask(
    rng: &mut Rng,
    life: &mut Life<'_>,
    command: &OrderCommand,
    tally: &mut Tally,
) -> Result<(), String> {
    let facts = commands::facts(rng, life);
    let role = *rng.pick(&[Role::Ops, Role::Ops, Role::CustomerService, Role::System]);
    if let Err(refusal) = life.ask(command, role, &facts)? {
        tally.refused(command, &refusal);
    }
    Ok(())
}

/// The sum of all postings.
#[derive(Debug, Default)]
struct Books {
    accounts: [i64; 7],
}

impl Books {
    fn take(&mut self, life: &mut Life<'_>) {
        for posting in life.postings.drain(..) {
            self.add(&posting);
        }
    }

    fn take_remittance(&mut self, settlement: &mut Settlement<'_>) {
        for posting in settlement.postings.drain(..) {
            self.add(&posting);
        }
    }

    fn add(&mut self, posting: &domain::cash::Posting) {
        for entry in posting.entries() {
            self.accounts[cash::place(entry.account)] += entry.amount.units();
        }
    }

    /// All accounts add up to nothing, and each is what is known of its money.
    fn balance(&self, lives: &[Life<'_>], settlement: &Settlement<'_>) -> Result<(), String> {
        let sum: i64 = self.accounts.iter().sum();
        let orders: Vec<cash::OrderMoney> = lives.iter().map(|l| l.money.clone()).collect();
        let naive = cash::balances(&orders, &settlement.money);
        let ours = self.accounts.map(|units| Decimal::new(units, 4));
        let of_orders: Vec<Decimal> = lives
            .iter()
            .map(|l| money(l.order.totals.cash_due))
            .collect();
        if sum == 0 && ours == naive {
            return Ok(());
        }
        let table = Account::ALL.iter().zip(ours).zip(naive);
        let table: Vec<String> = table
            .map(|((account, ours), naive)| format!("{}: {ours} | {naive}", account.as_str()))
            .collect();
        let events = lives.iter().map(|l| &l.events).collect::<Vec<_>>();
        Err(format!(
            "books | by what is known: {table:#?}\nof orders of {of_orders:?}\n{orders:#?}\n\
             {:#?}\n{:#?}\n{events:#?}",
            settlement.money, settlement.events
        ))
    }
}
