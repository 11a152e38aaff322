insert into process_report (log_id, partner_id, store_id, region, day, due_at)
select distinct on (t.partner_id, t.store_id, t.day) $1::smallint, t.*
from unnest($2::text[], $3::text[], $4::text[], $5::date[], $6::timestamptz[])
    as t (partner_id, store_id, region, day, due_at)
on conflict (log_id, partner_id, store_id, day) do nothing
