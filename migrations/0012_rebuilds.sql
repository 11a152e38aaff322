-- Read models are rebuilt beside the tables in use; those that were in use before are kept in a schema `retired_MODEL`
-- until the next rebuild, for a rollback.

set local lock_timeout = '5s';

create table projection_retired (
    log_id   smallint    not null,
    name     text        not null,
    -- How far the kept tables are.
    position bigint      not null check (position >= 0),
    at       timestamptz not null default clock_timestamp(),
    constraint projection_retired_pk primary key (log_id, name)
);

grant select on projection_retired to ledger_app;
