-- The order view: one row per order, equal to a fold of the order's events.
--
-- Owned by the projection `order_view`; nothing else writes here, and everything here can be rebuilt
-- from `events`. Order ids are unique over all logs, so the keys carry no log_id; the checkpoint does.

create table order_view (
    order_id        uuid           not null,
    -- "C": byte order, so that one B-tree answers equality and prefixes alike.
    number          text           collate "C" not null,
    store_id        text           not null,
    region          text           not null,
    channel         text           not null,
    customer_id     text,
    status          smallint       not null,
    min_line_status smallint       not null,
    max_line_status smallint       not null,
    payment_status  smallint       not null,
    order_total     numeric(18, 4) not null,
    cash_due        numeric(18, 4) not null,
    -- When the first and the last event were recorded.
    placed_at       timestamptz    not null,
    updated_at      timestamptz    not null,
    -- The order's version and the log position of its last event.
    version         bigint         not null,
    position        bigint         not null,
    -- The order's whole state. `json`, not `jsonb`: it is only ever read back whole, and is
    -- written on every event.
    doc             json           not null,
    constraint order_view_pk primary key (order_id)
);

-- Each index ends in the sort key and the id, which is what a keyset page walks along.
create index order_view_placed        on order_view (placed_at, order_id);
create index order_view_updated       on order_view (updated_at, order_id);
create index order_view_total         on order_view (order_total, order_id);
create index order_view_store         on order_view (store_id, placed_at, order_id);
create index order_view_store_status  on order_view (store_id, status, placed_at, order_id);
create index order_view_status        on order_view (status, placed_at, order_id);
create index order_view_customer      on order_view (customer_id, placed_at, order_id)
    where customer_id is not null;
create index order_view_number        on order_view (number);

-- Every event rewrites its order's row: leave room on the page, and vacuum before half of it is dead.
alter table order_view set (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);

-- The ids by which other systems know an order. The log's claims keep them unique per system.
create table order_ref (
    system    text not null,
    reference text not null,
    order_id  uuid not null,
    constraint order_ref_pk primary key (system, reference)
);
create index order_ref_order on order_ref (order_id);

-- One row per event of an order: its status before and after, and who did it.
create table order_history (
    order_id       uuid        not null,
    version        bigint      not null,
    position       bigint      not null,
    event_id       uuid        not null,
    event_type     text        not null,
    schema_version text        not null,
    status_from    smallint,
    status_to      smallint    not null,
    actor_id       text        not null,
    actor_role     text        not null,
    command_id     uuid        not null,
    correlation_id uuid,
    causation_id   uuid,
    -- When it happened, as far as anybody said; `recorded_at` otherwise.
    occurred_at    timestamptz not null,
    recorded_at    timestamptz not null,
    -- The event's own fields short of its type and statuses: reason, skipped statuses, tracking id.
    detail         json        not null,
    constraint order_history_pk primary key (order_id, version)
);

-- Why a projection stands still: its first event that could not be applied. Gone when it moves again.
create table projection_failure (
    log_id    smallint    not null,
    name      text        not null,
    position  bigint      not null,
    reason    text        not null,
    failed_at timestamptz not null default clock_timestamp(),
    constraint projection_failure_pk primary key (log_id, name)
);

grant select, insert, update, delete, truncate on order_view, order_ref, order_history to ledger_app;
grant select, insert, update, delete on projection_failure to ledger_app;
