insert into store_board (store_id, region, status, orders)
select t.store_id, t.region, t.status, 0
from unnest($1::text[], $2::text[], $3::smallint[]) as t (store_id, region, status)
on conflict (store_id, region, status) do nothing
