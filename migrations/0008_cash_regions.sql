-- The cash of a store lies in the region where the store is now: a store that moves takes its cash along.
--
-- The ledger's rows are made anew under the key `cash_ledger.2`, because its postings so far know no stores. A process
-- of the release before is fenced out as in 0006.

set local lock_timeout = '5s';

update projection_checkpoint
set position = 0, owner_epoch = owner_epoch + 1, updated_at = 'infinity'
where name = 'cash_ledger';

delete from projection_failure where name = 'cash_ledger';

truncate cash_posting, cash_balance, cash_order, cash_remittance, cash_day;

-- Owned by the projection `cash_ledger`. Few rows: one per store that was opened.
create table cash_store (
    store_id text not null,
    region   text not null,
    constraint cash_store_pk primary key (store_id)
);

grant select, insert, update, truncate on cash_store to ledger_app;
