//! Tables of sums: what they have in common.
//!
//! A row is a cell: the sum of what every order and every event counts for under its key. Nothing is ever set, only
//! added to, so the order of events does not matter and a cell is right as soon as each contribution is in it once.
//!
//! - [`Table::standing`] is what an order counts for as it stands. When the order changes, what it counted for before
//!   is taken off and what it counts for now is added: late and corrected news need no rule of their own.
//! - [`Table::event`] is what an event counts for whatever comes later.
//!
//! Both are pure, and both are all there is: the writer adds up their changes over a page, the check adds up all of
//! them over the log, and the two must agree.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::{Debug, Write as _},
};

use sqlx::{PgConnection, Postgres, postgres::PgArguments, postgres::PgRow, query::Query};

use super::{Happened, Life};

/// A row's measures.
pub(crate) trait Measures: Copy + Default + PartialEq + Debug + Send + Sync {
    /// Their columns, each `bigint`, with how two of a column become one.
    const COLUMNS: &'static [(&'static str, Merge)];

    /// Takes in another row's, `sign` times. A maximum is not taken off again.
    fn add(&mut self, other: &Self, sign: i64);
    /// The value of a column, by its number in [`Self::COLUMNS`].
    fn get(&self, column: usize) -> i64;
    /// Out of a row that has these columns; the others stay nothing.
    fn from_row(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error>;

    /// Whether there is nothing to add.
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Some columns of a table's measures: a reader that looks at two of two dozen gets no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Wanted(u64);

impl Wanted {
    /// Every column.
    pub const ALL: Self = Self(u64::MAX);

    /// Those of [`Measures::COLUMNS`] that have one of these names.
    pub(crate) fn of<M: Measures>(names: &[&str]) -> Self {
        const { assert!(M::COLUMNS.len() <= u64::BITS as usize) };
        let columns = M::COLUMNS.iter().enumerate();
        let wanted = columns.filter(|(_, (name, _))| names.contains(name));
        Self(wanted.fold(0, |bits, (column, _)| bits | 1 << column))
    }

    /// Whether all of the others are among them.
    pub const fn covers(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether the column of this number is among them.
    pub(crate) const fn has(self, column: usize) -> bool {
        self.0 >> column & 1 == 1
    }
}

/// How two values of a column become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Added.
    Sum,
    /// The larger one: only for what is never taken off.
    Max,
}

impl Merge {
    pub(crate) fn of(self, a: i64, b: i64, sign: i64) -> i64 {
        match self {
            Self::Sum => a.saturating_add(b.saturating_mul(sign)),
            Self::Max => a.max(b),
        }
    }
}

/// Declares measures: a struct of counts, each a column of its name.
macro_rules! measures {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $merge:ident $field:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: i64),+
        }

        impl $crate::metrics::table::Measures for $name {
            const COLUMNS: &'static [(&'static str, $crate::metrics::table::Merge)] =
                &[$((stringify!($field), $crate::metrics::table::Merge::$merge)),+];

            fn add(&mut self, other: &Self, sign: i64) {
                $(self.$field =
                    $crate::metrics::table::Merge::$merge.of(self.$field, other.$field, sign);)+
            }

            fn get(&self, column: usize) -> i64 {
                let values = [$(self.$field),+];
                values.get(column).copied().unwrap_or_default()
            }

            fn from_row(
                row: &sqlx::postgres::PgRow,
                wanted: $crate::metrics::Wanted,
            ) -> Result<Self, sqlx::Error> {
                use sqlx::Row as _;
                let mut columns = 0..;
                Ok(Self {
                    $($field: match columns.next() {
                        Some(column) if wanted.has(column) => row.try_get(stringify!($field))?,
                        _ => 0,
                    }),+
                })
            }
        }

        impl $name {
            /// The figures of several rows together.
            pub fn total<'a>(rows: impl IntoIterator<Item = &'a Self>) -> Self {
                rows.into_iter().fold(Self::default(), |mut sum, row| {
                    $crate::metrics::table::Measures::add(&mut sum, row, 1);
                    sum
                })
            }
        }
    };
}
pub(crate) use measures;

/// A statement with what is bound to it.
pub(crate) type Bound<'q> = Query<'q, Postgres, PgArguments>;

/// What names a row.
pub(crate) trait Key: Ord + Clone + Debug + Send + Sync {
    /// The columns of the primary key, in its order, and their types.
    const COLUMNS: &'static [(&'static str, &'static str)];

    /// Binds the columns of keys, each as an array.
    fn bind<'q>(query: Bound<'q>, keys: &[&Self]) -> Bound<'q>;
    /// Out of a row that has all columns.
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error>;
}

/// Declares a key: a struct of columns.
macro_rules! key {
    ($(#[$doc:meta])* $name:ident { $($column:ident: $kind:ty as $sql:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) struct $name {
            $(pub(crate) $column: $kind),+
        }

        impl $crate::metrics::table::Key for $name {
            const COLUMNS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($column), $sql)),+];

            fn bind<'q>(
                query: $crate::metrics::table::Bound<'q>,
                keys: &[&Self],
            ) -> $crate::metrics::table::Bound<'q> {
                $(
                    let column: Vec<$kind> = keys.iter().map(|k| Clone::clone(&k.$column)).collect();
                    let query = query.bind(column);
                )+
                query
            }

            fn from_row(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                use sqlx::Row as _;
                Ok(Self { $($column: row.try_get(stringify!($column))?),+ })
            }
        }
    };
}
pub(crate) use key;

/// A table of sums.
pub(crate) trait Table {
    /// Its name.
    const NAME: &'static str;
    /// What names a row.
    type Key: Key;
    /// What is counted.
    type Measures: Measures;

    /// What an order counts for as it stands.
    fn standing(_order: &Life) -> Vec<(Self::Key, Self::Measures)> {
        Vec::new()
    }

    /// What an event counts for, whatever comes later. `order` is the order after it.
    fn event(_order: &Life, _event: &Happened<'_>) -> Vec<(Self::Key, Self::Measures)> {
        Vec::new()
    }
}

/// Rows of a table, or changes to them.
pub(crate) struct Cells<T: Table>(pub(crate) BTreeMap<T::Key, T::Measures>);

impl<T: Table> Default for Cells<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Table> Cells<T> {
    /// Adds `measures` under `key`, `sign` times.
    pub(crate) fn add(&mut self, key: T::Key, measures: &T::Measures, sign: i64) {
        match self.0.entry(key) {
            Entry::Vacant(cell) => {
                let mut sum = T::Measures::default();
                sum.add(measures, sign);
                cell.insert(sum);
            }
            Entry::Occupied(mut cell) => cell.get_mut().add(measures, sign),
        }
    }

    /// Adds what an event counts for.
    pub(super) fn event(&mut self, order: &Life, event: &Happened<'_>) {
        for (key, measures) in T::event(order, event) {
            self.add(key, &measures, 1);
        }
    }

    /// Adds what becomes of an order: what it counts for after, less what it counted for before.
    pub(super) fn change(&mut self, before: Option<&Life>, after: &Life) {
        let before = before.map(T::standing).unwrap_or_default();
        let after = T::standing(after);
        // Most events leave most of what an order counts for alone.
        if before == after {
            return;
        }
        for (key, measures) in before {
            self.add(key, &measures, -1);
        }
        for (key, measures) in after {
            self.add(key, &measures, 1);
        }
    }

    /// Adds the changes to the table in one statement, in the order of the keys.
    pub(super) async fn save(mut self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.0.retain(|_, measures| !measures.is_nothing());
        if self.0.is_empty() {
            return Ok(());
        }
        let keys: Vec<&T::Key> = self.0.keys().collect();
        let sql = upsert::<T>();
        let mut query = T::Key::bind(sqlx::query(&sql), &keys);
        for column in 0..T::Measures::COLUMNS.len() {
            let values: Vec<i64> = self.0.values().map(|m| m.get(column)).collect();
            query = query.bind(values);
        }
        query.execute(conn).await?;
        Ok(())
    }

    /// Every row that counts anything.
    pub(crate) async fn load(conn: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query(&format!("select * from {}", T::NAME))
            .persistent(false)
            .fetch_all(conn)
            .await?;
        let mut cells = BTreeMap::new();
        for row in &rows {
            let measures = T::Measures::from_row(row, Wanted::ALL)?;
            if !measures.is_nothing() {
                cells.insert(T::Key::from_row(row)?, measures);
            }
        }
        Ok(Self(cells))
    }
}

/// The statement that adds to a table: `unnest` of an array per column.
fn upsert<T: Table>() -> String {
    let (mut names, mut arrays, mut sets) = (String::new(), String::new(), String::new());
    let keys = T::Key::COLUMNS.iter().copied();
    let measures = T::Measures::COLUMNS
        .iter()
        .map(|(name, _)| (*name, "bigint"));
    for (number, (name, kind)) in (1..).zip(keys.chain(measures)) {
        let comma = if number == 1 { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(names, "{comma}{name}");
        let _ = write!(arrays, "{comma}${number}::{kind}[]");
    }
    for (name, merge) in T::Measures::COLUMNS {
        let comma = if sets.is_empty() { "" } else { ", " };
        let _ = match merge {
            Merge::Sum => write!(sets, "{comma}{name} = t.{name} + excluded.{name}"),
            Merge::Max => write!(sets, "{comma}{name} = greatest(t.{name}, excluded.{name})"),
        };
    }
    let key: Vec<&str> = T::Key::COLUMNS.iter().map(|(name, _)| *name).collect();
    format!(
        "insert into {} as t ({names}) select * from unnest({arrays}) on conflict ({}) do update set {sets}",
        T::NAME,
        key.join(", ")
    )
}
