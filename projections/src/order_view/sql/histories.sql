select e.position, e.event_id, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
       e.payload::text as payload, e.metadata::text as metadata, e.command_id, e.recorded_at, e.content_hash, e.prev_hash,
       e.hash, -- up to here in the order in which `store::Recorded` reads them
       asked.order_id
from unnest($2::uuid[], $3::bigint[]) as asked (order_id, until)
-- An order is shown up to the version that its row in the view has: the two agree, whatever the log has come to meanwhile.
-- The limits make the planner look orders up one by one, however many it expects.
cross join lateral (
    select o.version, s.first_position, s.last_position
    from order_view as o
    join order_stream as s on s.log_id = $1 and s.aggregate_id = asked.order_id::text
    where o.order_id = asked.order_id
    limit 1
) as seen
cross join lateral (
    select *
    from order_event as own
    where own.log_id = $1 and own.aggregate_id = asked.order_id::text and own.sequence <= least(asked.until, seen.version, $4)
        -- Without these every partition of the log would be looked into.
        and own.position >= seen.first_position and own.position <= seen.last_position
    order by own.sequence
    limit asked.until
) as e
-- Not sorted: so no more is read than this.
limit $4
