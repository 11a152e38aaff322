-- What the processes over the log have to remember between events.
--
-- Each table belongs to one process and is written in the transaction that moves the process's checkpoint
-- (`projection_checkpoint`, under the names `process.*`), or when scheduled work is done. Everything here
-- follows from the log. Rows live as long as their business is open. Nothing here is personal data.

-- Orders that cannot run on by themselves: the workflow's.
create table process_waiting_order (
    log_id         smallint    not null,
    order_id       uuid        not null,
    store_id       text        not null,
    -- The event that set the order going, and what belongs together with it.
    cause_event_id uuid        not null,
    correlation_id uuid        not null,
    -- When it is tried again by itself; null: when its store changes.
    retry_at       timestamptz,
    constraint process_waiting_order_pk primary key (log_id, order_id)
);
create index process_waiting_order_store on process_waiting_order (log_id, store_id, order_id);
create index process_waiting_order_retry on process_waiting_order (log_id, retry_at) where retry_at is not null;

-- What is to happen at a time unless something happens before: the timers'.
create table process_timer (
    log_id         smallint    not null,
    -- Follows from the event that set it, so that it is set once.
    timer_id       uuid        not null,
    due_at         timestamptz not null,
    kind           text        not null,
    order_id       uuid        not null,
    -- Which of the order's, where it can have several of a kind: the offer's id.
    detail         text        not null,
    cause_event_id uuid        not null,
    correlation_id uuid        not null,
    constraint process_timer_pk primary key (log_id, timer_id)
);
create index process_timer_due   on process_timer (log_id, due_at);
create index process_timer_order on process_timer (log_id, order_id);

-- Cash that riders collected and no closed remittance holds yet: the cash desk's.
create table process_cash_item (
    log_id       smallint       not null,
    order_id     uuid           not null,
    number       text           not null,
    partner_id   text           not null,
    store_id     text           not null,
    region       text           not null,
    -- The business day whose remittance it belongs to: the day it was collected on, or a later one where that
    -- day's was closed before anybody heard of it.
    day          date           not null,
    amount       numeric(18, 4) not null,
    rider_id     text,
    collected_at timestamptz    not null,
    -- When the remittance is to be told of it; null once it was told.
    due_at       timestamptz,
    -- The remittance was told of it.
    is_expected  boolean        not null,
    constraint process_cash_item_pk primary key (log_id, order_id)
);
create index process_cash_item_due on process_cash_item (log_id, due_at) where due_at is not null;
create index process_cash_item_remittance on process_cash_item (log_id, partner_id, store_id, day);

-- Partners' reports that wait for the end of their day.
create table process_report (
    log_id     smallint    not null,
    partner_id text        not null,
    store_id   text        not null,
    region     text        not null,
    day        date        not null,
    -- When the remittance is to be told that nothing, or nothing more, is expected.
    due_at     timestamptz not null,
    constraint process_report_pk primary key (log_id, partner_id, store_id, day)
);
create index process_report_due on process_report (log_id, due_at);

-- Rows come and go all day: vacuum before half of a table is dead.
alter table process_waiting_order set (autovacuum_vacuum_scale_factor = 0.05);
alter table process_timer         set (autovacuum_vacuum_scale_factor = 0.05);
alter table process_cash_item     set (autovacuum_vacuum_scale_factor = 0.05);

grant select, insert, update, delete
    on process_waiting_order, process_timer, process_cash_item, process_report
    to ledger_app;
