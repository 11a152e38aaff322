update store_board as b
set orders = b.orders + t.delta
from unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[]) as t (store_id, region, status, delta)
where b.store_id = t.store_id and b.region = t.region and b.status = t.status
