insert into process_timer (log_id, timer_id, due_at, kind, order_id, detail, cause_event_id, correlation_id)
select $1, t.*
from unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::uuid[], $6::text[], $7::uuid[], $8::uuid[]) as t
on conflict (log_id, timer_id) do nothing
