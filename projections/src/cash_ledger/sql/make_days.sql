insert into cash_day (day, store_id, region)
select * from unnest($1::date[], $2::text[], $3::text[])
on conflict (day, store_id, region) do nothing
