insert into order_ref (system, reference, order_id)
select * from unnest($1::text[], $2::text[], $3::uuid[])
