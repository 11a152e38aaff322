//! What an order's decision sees of a bundle.

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};

use super::{BundleId, DailyHours, Definition, Schedule};
use crate::{calendar::bangkok_time, ids::StoreId, money::Money};

/// A bundle that somebody defined, offered or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: BundleId,
    /// The definition's version.
    pub version: u32,
    /// Whether it is offered at all.
    pub active: bool,
    /// What it is.
    pub definition: Definition,
}

/// Whether a bundle may be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It may.
    Yes,
    /// It is retired.
    Retired,
    /// Not at this time.
    NotNow,
    /// Not at this store.
    NotHere,
}

impl Offer {
    /// Whether it may be sold at a store at a moment.
    pub fn offered(&self, store: &StoreId, now: DateTime<Utc>) -> Offered {
        let Definition {
            stores, schedule, ..
        } = &self.definition;
        if !self.active {
            Offered::Retired
        } else if !stores.is_empty() && !stores.contains(store) {
            Offered::NotHere
        } else if schedule.covers(now) {
            Offered::Yes
        } else {
            Offered::NotNow
        }
    }

    /// What the components of one bundle cost apart. `None` beyond DECIMAL(18,4).
    pub fn individual_price(&self) -> Option<Money> {
        self.definition.individual_price()
    }

    /// What one bundle costs. `None` for rules that break the definition's own limits.
    pub fn price(&self) -> Option<Money> {
        self.definition.price()
    }
}

impl Schedule {
    /// Whether the moment lies inside, by Bangkok's clock. Hours over midnight belong to the day on which
    /// they begin: offered on Fridays from 22:00 to 02:00, a bundle is sold on Saturday at 01:00 still.
    pub fn covers(&self, at: DateTime<Utc>) -> bool {
        if self.from.is_some_and(|from| at < from) || self.until.is_some_and(|until| until <= at) {
            return false;
        }
        let clock = bangkok_time(at);
        let day = match self.hours {
            None => Some(clock.weekday()),
            Some(hours) => hours.began(clock.hour() * 60 + clock.minute(), clock.weekday()),
        };
        day.is_some_and(|day| self.includes(day))
    }

    fn includes(&self, day: Weekday) -> bool {
        let number = day.number_from_monday();
        self.weekdays.is_empty() || self.weekdays.iter().any(|d| u32::from(*d) == number)
    }
}

impl DailyHours {
    /// The day on which the hours began that hold this minute of a day; `None` outside them.
    fn began(self, minute: u32, today: Weekday) -> Option<Weekday> {
        let (from, to) = (u32::from(self.from), u32::from(self.to));
        if from < to {
            (from..to).contains(&minute).then_some(today)
        } else if from == to {
            None
        } else if minute >= from {
            Some(today)
        } else {
            (minute < to).then(|| today.pred())
        }
    }
}
