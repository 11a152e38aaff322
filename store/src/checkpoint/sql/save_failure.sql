insert into projection_failure (log_id, name, position, reason)
values ($1, $2, $3, $4)
on conflict (log_id, name) do update
set position = excluded.position, reason = excluded.reason, failed_at = clock_timestamp()
