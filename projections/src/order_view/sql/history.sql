select version, position, event_id, event_type, schema_version, status_from, status_to,
       actor_id, actor_role, command_id, correlation_id, causation_id, occurred_at, recorded_at, detail
from order_history
where order_id = $1 and version > $2
order by version
limit $3
