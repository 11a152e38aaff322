-- Orders and remittances remember what a report said, so that its id never stands for another one: the documents of
-- before are thrown away, and the runner of this release fills the tables from the start of the log under new keys
-- (`order_view.3`, `remittances.2`). The keys of the release before are taken from its processes and never become free,
-- as 0006 explains.

set local lock_timeout = '5s';

update projection_checkpoint
set position = 0, owner_epoch = owner_epoch + 1, updated_at = 'infinity'
where name in ('order_view.2', 'remittances');

delete from projection_failure where name in ('order_view.2', 'remittances');

truncate order_view, order_ref, order_history, remittance_view;
