-- The history of an order is read from the log, which has it anyway, and no longer from a copy of every event of every
-- order: that was the largest table of all, and a fourth of the time of making the read models anew.

set local lock_timeout = '5s';

-- What a rebuild by the release before would exchange knows nothing of the key below.
do $$
begin
    if not pg_try_advisory_xact_lock(hashtextextended('rebuild:order_view', 0)) then
        raise exception 'the order view is being rebuilt: migrate when that is over' using errcode = 'lock_not_available';
    end if;
end
$$;

-- Where the orders that a reader sees stand in the log: bounds by which a query leaves out partitions in which an order has
-- nothing.
create view order_stream with (security_barrier) as
select s.log_id, s.aggregate_id, s.first_position, s.last_position
from stream_head as s
where s.aggregate_type = 'order'
    and case when s.aggregate_type = 'order' then ledger_sees_order(s.aggregate_id::uuid) else false end;

-- Their events, and of nothing else: what asks for an order by its id comes first, then whether the reader sees it, once for
-- each order and not for each event. `log_id + 0` keeps the planner from the key by position, by which it would go through
-- everything between the bounds.
create view order_event with (security_barrier) as
select s.log_id, e.position, e.event_id, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
       e.payload, e.metadata, e.command_id, e.recorded_at, e.content_hash, e.prev_hash, e.hash
from order_stream as s
join events as e on e.log_id + 0 = s.log_id and e.aggregate_type = 'order' and e.aggregate_id = s.aggregate_id;

grant select on order_stream, order_event to ledger_reader, ledger_overseer;
grant execute on function ledger_sees_order(uuid) to ledger_overseer;

-- For processes of the release before, who read it until they are replaced: their policy names the order view of today, which
-- a rebuild puts away and the next one drops.
drop policy reader on order_history;
create policy reader on order_history for select to ledger_reader using (ledger_sees_order(order_id));

-- The rows of the order view stay as they are, so its new key (`order_view.4`) begins where the old one stands: its row is
-- locked, so that a page under way is whole. A process of the release before can write no more, since its key is taken from
-- it and never becomes free (as 0006 explains); what it shows is what there was at that moment, and its position says so.
-- Nobody writes `order_history` any more, and the next release drops it with the old key. To go back to the release before,
-- give it back its key (`updated_at = 'epoch'`), end the new one, and have it rebuild the order view.
insert into projection_checkpoint (log_id, name, position, owner_epoch, updated_at)
select log_id, 'order_view.4', position, 0, 'epoch'
from (select * from projection_checkpoint where name = 'order_view.3' for update) as old
on conflict (log_id, name) do nothing;

update projection_checkpoint
set owner_epoch = owner_epoch + 1, updated_at = 'infinity'
where name = 'order_view.3';

delete from projection_failure where name = 'order_view.3';
