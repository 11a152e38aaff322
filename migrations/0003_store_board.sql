-- The store board: how many orders stand in each status, by store.
--
-- Owned by the projection `store_board`. The counts move by deltas; the status an order leaves comes
-- from the projection's own `store_board_order`, never from another projection's tables.

create table store_board (
    region   text     not null,
    store_id text     not null,
    status   smallint not null,
    orders   bigint   not null,
    constraint store_board_pk primary key (store_id, region, status),
    -- A count below zero means that an event was applied twice or never: stop, loudly.
    constraint store_board_not_negative check (orders >= 0)
);

create table store_board_order (
    order_id uuid     not null,
    store_id text     not null,
    region   text     not null,
    status   smallint not null,
    constraint store_board_order_pk primary key (order_id)
);

-- Only `status` changes, and no index holds it: updates stay on the page when there is room.
alter table store_board_order set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

grant select, insert, update, delete, truncate on store_board, store_board_order to ledger_app;
