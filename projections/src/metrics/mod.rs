//! Metrics: sums over the life of orders, by place and Bangkok time.
//!
//! One model with several tables, because they are made of the same thing. What an order counts for depends on little
//! of it ([`Life`]); that is loaded, moved on and saved once per page, not once per table. All tables work alike
//! ([`table`]): a pure function says what an order, or an event, counts for, and a page adds the changes, one statement
//! per table. A topic is a folder with what its orders and events count for (`cells`) and its queries (`read`):
//!
//! - [`regional`]: the flow of orders by region, store, hour and day;
//! - [`bundle_sales`]: how bundles sell, by store and day;
//! - [`partner`]: how delivery partners perform, by store and day;
//! - [`step_timings`]: how long steps and stages take, by store and day.
//!
//! The tables hold one row per store, region and time at most (times bundle or step), whatever the number of orders.
//! Orders count where they were placed: a store that moves to another region takes none of its past along.

mod apply;
mod clock;
mod life;
mod read;
mod table;
#[cfg(test)]
mod tests;

pub mod bundle_sales;
pub mod partner;
pub mod regional;
pub mod step_timings;

use sqlx::PgConnection;

pub(crate) use apply::{Filling, apply, load};
pub(crate) use life::{Happened, Life};
pub use read::{Figures, MAX_DAYS, MAX_HOURS, MAX_ROWS, MetricsFilter, Span};
pub use table::Wanted;
pub(crate) use table::{Cells, Table};

/// Declares all tables of the model, and the changes that a page makes to them.
macro_rules! sums {
    ($($field:ident: $table:ty),+ $(,)?) => {
        /// Changes to the tables.
        #[derive(Default)]
        pub(crate) struct Sums {
            $(pub(crate) $field: Cells<$table>),+
        }

        impl Sums {
            /// Adds what an event counts for, whatever comes later.
            pub(crate) fn event(&mut self, order: &Life, event: &Happened<'_>) {
                $(self.$field.event(order, event);)+
            }

            /// Adds what becomes of an order.
            pub(crate) fn change(&mut self, before: Option<&Life>, after: &Life) {
                $(self.$field.change(before, after);)+
            }

            /// How many rows change.
            fn cells(&self) -> usize {
                0 $(+ self.$field.0.len())+
            }

            /// Adds the changes to the tables.
            async fn save(self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
                $(self.$field.save(conn).await?;)+
                Ok(())
            }
        }

        /// Does the same for every table of a set of sums.
        macro_rules! each_table {
            ($sums:expr, $cells:ident => $action:expr) => {{
                let sums = $sums;
                $({ let $cells = sums.$field; $action })+
            }};
        }
        pub(crate) use each_table;
    };
}

sums! {
    flow_hours: regional::FlowHour,
    flow_days: regional::FlowDay,
    bundles: bundle_sales::BundleDay,
    components: bundle_sales::ComponentDay,
    baskets: bundle_sales::BasketDay,
    partners: partner::PartnerDay,
    stages: step_timings::StageDay,
    steps: step_timings::StepDay,
}
