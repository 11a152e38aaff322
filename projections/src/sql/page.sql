-- The columns in the order in which `store::Recorded` reads them. What the model steps over ($4) comes without its
-- content: a model of a few events must not read the whole log for them.
select position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version,
       case when aggregate_type = any($4) then '' else payload::text end as payload,
       case when aggregate_type = any($4) then '' else metadata::text end as metadata,
       command_id, recorded_at, content_hash, prev_hash, hash
from events
where log_id = $1 and position > $2
order by position
limit $3
