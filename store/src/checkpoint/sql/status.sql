select
    m.name,
    coalesce(c.position, 0) as position,
    h.position as head,
    coalesce(
        (select greatest(0, extract(epoch from clock_timestamp() - e.recorded_at) * 1000)
         from events as e
         where e.log_id = $1 and e.position = coalesce(c.position, 0) + 1),
        0
    )::bigint as lag_millis,
    f.position as failed_position,
    f.reason as failed_reason,
    f.failed_at
from unnest($2::text[]) as m (name)
join log_head as h on h.log_id = $1
left join projection_checkpoint as c on c.log_id = $1 and c.name = m.name
left join projection_failure as f on f.log_id = $1 and f.name = m.name
