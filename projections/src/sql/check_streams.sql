select aggregate_id
from stream_head
where log_id = $1 and aggregate_type = $2 and aggregate_id > $3
order by aggregate_id
limit $4
