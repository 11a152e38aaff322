-- The columns in the order in which `store::Recorded` reads them.
select position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version,
       payload::text as payload, metadata::text as metadata, command_id, recorded_at,
       content_hash, prev_hash, hash
from events
where log_id = $1 and aggregate_type = $2 and aggregate_id = any($3) and position <= $4
order by aggregate_id, sequence
