select
    pg_is_in_recovery() as in_recovery,
    pg_postmaster_start_time() as started,
    (select system_identifier from pg_control_system()) as system,
    (select oid::bigint from pg_database where datname = current_database()) as database
