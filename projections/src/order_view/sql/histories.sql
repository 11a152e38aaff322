select asked.number, h.version, h.position, h.event_id, h.event_type, h.schema_version, h.status_from, h.status_to,
       h.actor_id, h.actor_role, h.command_id, h.correlation_id, h.causation_id, h.occurred_at, h.recorded_at, h.detail
from unnest($1::uuid[], $2::bigint[], $3::bigint[]) with ordinality as asked (order_id, after, most, number)
cross join lateral (
    select *
    from order_history as o
    where o.order_id = asked.order_id and o.version > asked.after
    order by o.version
    limit asked.most
) as h
order by asked.number, h.version
