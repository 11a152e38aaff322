insert into store_board_order (order_id, store_id, region, status, lines)
select t.order_id, t.store_id, t.region, t.status, t.lines::json
from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[])
    as t (order_id, store_id, region, status, lines)
on conflict (order_id) do update set status = excluded.status, lines = excluded.lines
