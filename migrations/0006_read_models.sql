-- The read models of the whole order domain: orders with bundles, substitutions, cash and returns; the cash ledger;
-- remittances, bundles, stores and dead letters. Everything here can be rebuilt from `events`.

set local lock_timeout = '5s';

-- ---------------------------------------------------------------------------------------------
-- order_view and store_board: rows of a new shape
--
-- What an order is has grown, so the rows of before cannot go on: they are thrown away, and the runner of this release
-- fills the tables from the start of the log under new keys (`order_view.2`, `store_board.2`). A process of the
-- release before may still run. It can write no row of its shape any more: the new columns have no default. And its
-- keys are taken from it (a new epoch) and never become free (a touch that lies in the future for ever), so that it
-- does not even try; its checkpoints say honestly that it has seen nothing. The old keys go in the next release.
-- Going back to the release before means undoing this part by hand: it cannot fill the tables as they are.
-- ---------------------------------------------------------------------------------------------
update projection_checkpoint
set position = 0, owner_epoch = owner_epoch + 1, updated_at = 'infinity'
where name in ('order_view', 'store_board');

delete from projection_failure where name in ('order_view', 'store_board');

truncate order_view, order_ref, order_history, store_board, store_board_order;

alter table order_view
    add column collection_status text     not null,
    -- The partner whose rider has or had the cash.
    add column partner_id        text,
    add column is_stuck          boolean  not null,
    add column is_overdue        boolean  not null,
    add column bundles           smallint not null;

-- Whose cash is on its way. Those that wait for their delivery and those that are settled are most of all orders, and
-- are found along the sort instead.
create index order_view_collection on order_view (collection_status, placed_at, order_id)
    where collection_status in ('IN_TRANSIT', 'COLLECTED', 'FAILED');
create index order_view_partner on order_view (partner_id, placed_at, order_id) where partner_id is not null;
create index order_view_stuck   on order_view (placed_at, order_id) where is_stuck;
create index order_view_overdue on order_view (placed_at, order_id) where is_overdue;
create index order_view_bundles on order_view (placed_at, order_id) where bundles > 0;

-- Each line as [number, status, quantity, returned]: an order stands where its least advanced line does.
alter table store_board_order add column lines json not null;

-- ---------------------------------------------------------------------------------------------
-- cash_ledger: who has how much of the customers' cash
--
-- Owned by the projection `cash_ledger`. Amounts: debit above zero, credit below, in THB.
-- ---------------------------------------------------------------------------------------------

-- What each event moved. Written once and never changed: the service may only insert, and truncate for a rebuild.
create table cash_posting (
    log_id        smallint       not null,
    position      bigint         not null,
    line          integer        not null check (line > 0),
    event_type    text           not null,
    account       text           not null,
    amount        numeric(18, 4) not null check (amount <> 0),
    -- None for cash of a remittance as a whole.
    order_id      uuid,
    -- The remittance whose event it is; none for an order's own event.
    remittance_id text           collate "C",
    store_id      text           not null,
    region        text           not null,
    -- On accounts that are kept by partner.
    partner_id    text,
    recorded_at   timestamptz    not null,
    constraint cash_posting_pk primary key (log_id, position, line)
);
create index cash_posting_order      on cash_posting (order_id, position, line) where order_id is not null;
create index cash_posting_remittance on cash_posting (remittance_id, position, line) where remittance_id is not null;

-- Every posting balances, and belongs to one store: looked at once per statement, over the rows it brings. A posting
-- is never spread over two statements, so nothing need be deferred.
create function ledger_check_postings() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (
        select from added
        group by log_id, position
        having sum(amount) <> 0 or count(distinct (store_id, region)) > 1
    ) then
        raise exception 'a posting does not balance'
            using errcode = 'check_violation', constraint = 'cash_posting_balances';
    end if;
    return null;
end
$$;
create trigger cash_posting_balances after insert on cash_posting
    referencing new table as added
    for each statement execute function ledger_check_postings();

-- What each account holds: the sum of its postings, moved by deltas.
create table cash_balance (
    store_id   text           not null,
    region     text           not null,
    account    text           not null,
    -- '' on accounts that are no partner's, and where the partner is not known.
    partner_id text           not null,
    balance    numeric(18, 4) not null,
    constraint cash_balance_pk primary key (store_id, region, account, partner_id)
);
alter table cash_balance set (fillfactor = 50);

-- The accounts of each store add up to zero, before and after: so what a statement adds does.
create function ledger_check_balances() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (
        select from (
            select store_id, region, balance from after_it
            union all
            select store_id, region, -balance from before_it
        ) as change
        group by store_id, region
        having sum(balance) <> 0
    ) then
        raise exception 'the balances of a store do not add up to zero'
            using errcode = 'check_violation', constraint = 'cash_balance_zero';
    end if;
    return null;
end
$$;
create trigger cash_balance_zero after update on cash_balance
    referencing old table as before_it new table as after_it
    for each statement execute function ledger_check_balances();

-- The cash of each order: what its next posting depends on, and what is outstanding.
create table cash_order (
    order_id     uuid           not null,
    number       text           not null,
    store_id     text           not null,
    region       text           not null,
    -- The partner whose rider has or had the cash.
    partner_id   text,
    status       text           not null,
    receivable   numeric(18, 4) not null,
    rider        numeric(18, 4) not null,
    -- Since when something is outstanding; null when nothing is.
    since        timestamptz,
    booked_at    timestamptz,
    delivered_at timestamptz,
    collected_at timestamptz,
    failed_at    timestamptz,
    discrepancy  numeric(18, 4) not null,
    version      bigint         not null,
    position     bigint         not null,
    cash         json           not null,
    constraint cash_order_pk primary key (order_id),
    constraint cash_order_since_open check ((since is null) = (receivable = 0 and rider = 0))
);
-- Most orders are settled, and in none of these.
create index cash_order_since         on cash_order (since, order_id) where since is not null;
create index cash_order_store_since   on cash_order (store_id, since, order_id) where since is not null;
create index cash_order_partner_since on cash_order (partner_id, since, order_id) where since is not null;
alter table cash_order set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- The region that a remittance's postings belong to.
create table cash_remittance (
    remittance_id text collate "C" not null,
    region        text not null,
    constraint cash_remittance_pk primary key (remittance_id)
);

-- How well each day's cash was collected. A count below zero means that an event was applied twice or never.
create table cash_day (
    day             date           not null,
    store_id        text           not null,
    region          text           not null,
    delivered       bigint         not null default 0,
    collected       bigint         not null default 0,
    in_time         bigint         not null default 0,
    failed          bigint         not null default 0,
    discrepancies   bigint         not null default 0,
    discrepancy_sum numeric(18, 4) not null default 0,
    constraint cash_day_pk primary key (day, store_id, region),
    constraint cash_day_counts check (
        delivered >= collected and collected >= in_time and in_time >= 0 and failed >= 0 and discrepancies >= 0
    )
);

-- ---------------------------------------------------------------------------------------------
-- remittances, bundles, stores, dead_letters: one aggregate per row, kept whole
--
-- Each table is owned by the projection of its kind. All have one shape: `doc` is the state, `place` is where the row
-- stands in its list, and what lists are filtered by is taken out of `doc` by the database, so that it cannot differ.
-- ---------------------------------------------------------------------------------------------

create table remittance_view (
    id             text        collate "C" not null,
    -- The business day, in days since 1970.
    place          bigint      not null,
    version        bigint      not null,
    first_position bigint      not null,
    position       bigint      not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    doc            jsonb       not null,
    partner_id     text generated always as (split_part(id, ':', 1)) stored not null,
    store_id       text generated always as (split_part(id, ':', 2)) stored not null,
    region         text generated always as (doc ->> 'region') stored not null,
    status         text generated always as (doc ->> 'status') stored not null,
    expected       numeric(18, 4) generated always as ((doc #>> '{summary,expected}')::numeric) stored not null,
    reported       numeric(18, 4) generated always as ((doc #>> '{summary,reported}')::numeric) stored not null,
    variance       numeric(18, 4) generated always as ((doc #>> '{summary,variance}')::numeric) stored not null,
    accepted       numeric(18, 4) generated always as ((doc #>> '{summary,accepted}')::numeric) stored not null,
    open_items     integer generated always as ((doc #>> '{summary,open}')::integer) stored not null,
    received       numeric(18, 4) generated always as ((doc ->> 'received')::numeric) stored not null,
    deposited      numeric(18, 4) generated always as ((doc ->> 'deposited')::numeric) stored not null,
    constraint remittance_view_pk primary key (id)
);
create index remittance_view_place   on remittance_view (place, id);
create index remittance_view_store   on remittance_view (store_id, place, id);
create index remittance_view_partner on remittance_view (partner_id, place, id);
create index remittance_view_region  on remittance_view (region, place, id);
create index remittance_view_status  on remittance_view (status, place, id);

create table bundle_view (
    id             text        collate "C" not null,
    -- Always 0: the list is sorted by id.
    place          bigint      not null,
    version        bigint      not null,
    first_position bigint      not null,
    position       bigint      not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    doc            jsonb       not null,
    sku            text generated always as (doc #>> '{definition,sku}') stored not null,
    is_active      boolean generated always as ((doc ->> 'active')::boolean) stored not null,
    constraint bundle_view_pk primary key (id)
);
create index bundle_view_place on bundle_view (place, id);
create index bundle_view_sku   on bundle_view (sku, place, id);

create table store_view (
    id             text        collate "C" not null,
    -- Always 0: the list is sorted by id.
    place          bigint      not null,
    version        bigint      not null,
    first_position bigint      not null,
    position       bigint      not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    doc            jsonb       not null,
    name           text generated always as (doc #>> '{profile,name}') stored not null,
    region         text generated always as (doc #>> '{profile,region}') stored not null,
    zone           text generated always as (doc #>> '{profile,zone}') stored not null,
    is_active      boolean generated always as ((doc ->> 'active')::boolean) stored not null,
    constraint store_view_pk primary key (id)
);
create index store_view_place  on store_view (place, id);
create index store_view_region on store_view (region, place, id);

create table dead_letter_view (
    id             text        collate "C" not null,
    -- The position of the first event: the order of arrival.
    place          bigint      not null,
    version        bigint      not null,
    first_position bigint      not null,
    position       bigint      not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    -- The contact in it is sealed.
    doc            jsonb       not null,
    source         text generated always as (doc #>> '{message,source}') stored not null,
    message_id     text generated always as (doc #>> '{message,messageId}') stored not null,
    outcome        text generated always as (doc #>> '{outcome,kind}') stored not null,
    attempts       integer generated always as ((doc ->> 'attempts')::integer) stored not null,
    constraint dead_letter_view_pk primary key (id)
);
create index dead_letter_view_place   on dead_letter_view (place, id);
create index dead_letter_view_outcome on dead_letter_view (outcome, place, id);
create index dead_letter_view_source  on dead_letter_view (source, place, id);

-- ---------------------------------------------------------------------------------------------
-- Grants
-- ---------------------------------------------------------------------------------------------
revoke all on function ledger_check_postings() from public;
revoke all on function ledger_check_balances() from public;
grant select, insert, truncate on cash_posting, cash_remittance to ledger_app;
grant select, insert, update, delete, truncate
    on cash_balance, cash_order, cash_day, remittance_view, bundle_view, store_view, dead_letter_view
    to ledger_app;
