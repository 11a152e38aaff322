insert into process_waiting_order (log_id, order_id, store_id, cause_event_id, correlation_id, retry_at)
select $1, t.*
from unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::timestamptz[]) as t
on conflict (log_id, order_id) do update
set store_id = excluded.store_id,
    cause_event_id = excluded.cause_event_id,
    correlation_id = excluded.correlation_id,
    retry_at = excluded.retry_at
