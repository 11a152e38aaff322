select store_id, region, status, orders
from store_board
where orders > 0 and ($1::text[] is null or store_id = any($1))
order by store_id, region, status
limit $2
