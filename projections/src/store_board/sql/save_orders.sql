insert into store_board_order (order_id, store_id, region, status)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[])
on conflict (order_id) do update set status = excluded.status
