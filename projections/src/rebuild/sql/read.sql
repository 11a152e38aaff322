-- The columns in the order in which they are read. What no model reads comes without its content.
copy (
    select position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version,
           case when {is_skipped} then '' else payload::text end,
           case when {is_skipped} then '' else metadata::text end,
           command_id, recorded_at, content_hash, prev_hash, hash
    from events
    where log_id = {log} and position > {after} and position <= {to}
    order by position
) to stdout (format binary)
