insert into metrics_order (order_id, life)
select t.order_id, t.life::json
from unnest($1::uuid[], $2::text[]) as t (order_id, life)
on conflict (order_id) do update set life = excluded.life
