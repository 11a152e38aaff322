insert into order_history (
    order_id, version, position, event_id, event_type, schema_version, status_from, status_to,
    actor_id, actor_role, command_id, correlation_id, causation_id, occurred_at, recorded_at, detail
)
select
    t.order_id, t.version, t.position, t.event_id, t.event_type, t.schema_version,
    t.status_from, t.status_to, t.actor_id, t.actor_role, t.command_id, t.correlation_id,
    t.causation_id, t.occurred_at, t.recorded_at, t.detail::json
from unnest(
    $1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::text[],
    $7::smallint[], $8::smallint[], $9::text[], $10::text[], $11::uuid[], $12::uuid[],
    $13::uuid[], $14::timestamptz[], $15::timestamptz[], $16::text[]
) as t (
    order_id, version, position, event_id, event_type, schema_version,
    status_from, status_to, actor_id, actor_role, command_id, correlation_id,
    causation_id, occurred_at, recorded_at, detail
)
