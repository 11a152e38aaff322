-- Metrics: sums over the life of orders by place and Bangkok time. Owned by the projection `metrics`; everything here
-- can be rebuilt from `events`.
--
-- Rows are only ever added to: a row is the sum of what orders and events count for under its key. So no check may
-- look at a single value (an upsert checks what it adds before it adds it); `projections::check` compares all of them
-- with the log. Amounts are in 1/10,000 THB, as integers.

set local lock_timeout = '5s';

-- What the metrics keep of each order: what its next event changes depends on it.
create table metrics_order (
    order_id uuid not null,
    life     json not null,
    constraint metrics_order_pk primary key (order_id)
);
alter table metrics_order set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- ---------------------------------------------------------------------------------------------
-- The flow of orders
-- ---------------------------------------------------------------------------------------------

-- By hour: an order counts in the hour in which it first reached a status.
create table metrics_hour (
    store_id            text        not null,
    hour                timestamptz not null,
    region              text        not null,
    placed              bigint      not null,
    back_ordered        bigint      not null,
    allocated           bigint      not null,
    released            bigint      not null,
    in_process          bigint      not null,
    picked              bigint      not null,
    packed              bigint      not null,
    fulfilled           bigint      not null,
    shipped             bigint      not null,
    in_transit          bigint      not null,
    out_for_delivery    bigint      not null,
    delivered           bigint      not null,
    pending_return      bigint      not null,
    returned            bigint      not null,
    cancelled           bigint      not null,
    value_units         bigint      not null,
    cash_due_units      bigint      not null,
    returns             bigint      not null,
    returned_units      bigint      not null,
    shorts              bigint      not null,
    stuck               bigint      not null,
    failed_deliveries   bigint      not null,
    failed_collections  bigint      not null,
    overdue_collections bigint      not null,
    constraint metrics_hour_pk primary key (store_id, hour, region)
);
create index metrics_hour_hour on metrics_hour (hour, region);

-- The same by Bangkok business day.
create table metrics_day (
    store_id            text        not null,
    day                 date        not null,
    region              text        not null,
    placed              bigint      not null,
    back_ordered        bigint      not null,
    allocated           bigint      not null,
    released            bigint      not null,
    in_process          bigint      not null,
    picked              bigint      not null,
    packed              bigint      not null,
    fulfilled           bigint      not null,
    shipped             bigint      not null,
    in_transit          bigint      not null,
    out_for_delivery    bigint      not null,
    delivered           bigint      not null,
    pending_return      bigint      not null,
    returned            bigint      not null,
    cancelled           bigint      not null,
    value_units         bigint      not null,
    cash_due_units      bigint      not null,
    returns             bigint      not null,
    returned_units      bigint      not null,
    shorts              bigint      not null,
    stuck               bigint      not null,
    failed_deliveries   bigint      not null,
    failed_collections  bigint      not null,
    overdue_collections bigint      not null,
    constraint metrics_day_pk primary key (store_id, day, region)
);
create index metrics_day_day on metrics_day (day, region);

alter table metrics_hour set (fillfactor = 70);
alter table metrics_day set (fillfactor = 70);

-- ---------------------------------------------------------------------------------------------
-- Bundles: an order's bundles count on the day it was placed
-- ---------------------------------------------------------------------------------------------

-- How each bundle sells.
create table metrics_bundle (
    store_id       text     not null,
    day            date     not null,
    region         text     not null,
    bundle_id      text     not null,
    orders         bigint   not null,
    sold           bigint   not null,
    cancelled      bigint   not null,
    delivered      bigint   not null,
    revenue_units  bigint   not null,
    apart_units    bigint   not null,
    savings_units  bigint   not null,
    returned_units bigint   not null,
    constraint metrics_bundle_pk primary key (store_id, day, region, bundle_id)
);
create index metrics_bundle_day on metrics_bundle (day, region);
alter table metrics_bundle set (fillfactor = 70);

-- What each product brings as a component of a bundle. Quantities are in 1/10,000.
create table metrics_component (
    store_id       text     not null,
    day            date     not null,
    region         text     not null,
    bundle_id      text     not null,
    sku            text     not null,
    quantity_units bigint   not null,
    revenue_units  bigint   not null,
    constraint metrics_component_pk primary key (store_id, day, region, bundle_id, sku)
);
create index metrics_component_day on metrics_component (day, region);
alter table metrics_component set (fillfactor = 70);

-- Orders with and without bundles.
create table metrics_basket (
    store_id           text     not null,
    day                date     not null,
    region             text     not null,
    orders             bigint   not null,
    bundle_orders      bigint   not null,
    value_units        bigint   not null,
    bundle_order_units bigint   not null,
    bundle_units       bigint   not null,
    single_units       bigint   not null,
    constraint metrics_basket_pk primary key (store_id, day, region)
);
create index metrics_basket_day on metrics_basket (day, region);
alter table metrics_basket set (fillfactor = 70);

-- ---------------------------------------------------------------------------------------------
-- Delivery partners: an order counts on the day it was handed over
-- ---------------------------------------------------------------------------------------------

-- '' is a partner that nobody named.
create table metrics_partner (
    store_id          text     not null,
    day               date     not null,
    region            text     not null,
    partner_id        text     not null,
    handed_over       bigint   not null,
    delivered         bigint   not null,
    delivered_at_once bigint   not null,
    failed_attempts   bigint   not null,
    undelivered       bigint   not null,
    collected         bigint   not null,
    collected_in_time bigint   not null,
    discrepancies     bigint   not null,
    discrepancy_units bigint   not null,
    settled           bigint   not null,
    variances         bigint   not null,
    variance_units    bigint   not null,
    constraint metrics_partner_pk primary key (store_id, day, region, partner_id)
);
create index metrics_partner_day on metrics_partner (day, region);
alter table metrics_partner set (fillfactor = 70);

-- ---------------------------------------------------------------------------------------------
-- Durations, as counts by bucket: 0 to 3, then four buckets to each octave
-- ---------------------------------------------------------------------------------------------

-- What orders go through, in milliseconds, on the day it began. The partner is '' except for rides.
create table metrics_stage (
    store_id     text     not null,
    day          date     not null,
    region       text     not null,
    stage        text     not null,
    partner_id   text     not null,
    bucket       smallint not null,
    count        bigint   not null,
    total_millis bigint   not null,
    constraint metrics_stage_pk primary key (store_id, day, region, stage, partner_id, bucket)
);
create index metrics_stage_day on metrics_stage (day, region);
alter table metrics_stage set (fillfactor = 70);

-- What the program does, in microseconds, on the day of the decision.
create table metrics_step (
    store_id       text     not null,
    day            date     not null,
    region         text     not null,
    step           text     not null,
    bucket         smallint not null,
    count          bigint   not null,
    total_micros   bigint   not null,
    longest_micros bigint   not null,
    constraint metrics_step_pk primary key (store_id, day, region, step, bucket)
);
create index metrics_step_day on metrics_step (day, region);
alter table metrics_step set (fillfactor = 70);

-- ---------------------------------------------------------------------------------------------
-- Grants
-- ---------------------------------------------------------------------------------------------
grant select, insert, update, delete, truncate
    on metrics_order, metrics_hour, metrics_day, metrics_bundle, metrics_component, metrics_basket, metrics_partner,
       metrics_stage, metrics_step
    to ledger_app;
