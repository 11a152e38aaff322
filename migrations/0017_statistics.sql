-- What no query asks by needs no statistics: an entry of an order's history is found by its order and its version, a
-- posting by its place, its order, its remittance or its store. To sample and sort every column of the two tables with
-- most rows took as long as to index them, in each rebuild and each upkeep.

set local lock_timeout = '5s';

alter table order_history
    alter column position       set statistics 0,
    alter column event_id       set statistics 0,
    alter column event_type     set statistics 0,
    alter column schema_version set statistics 0,
    alter column status_from    set statistics 0,
    alter column status_to      set statistics 0,
    alter column actor_id       set statistics 0,
    alter column actor_role     set statistics 0,
    alter column command_id     set statistics 0,
    alter column correlation_id set statistics 0,
    alter column causation_id   set statistics 0,
    alter column occurred_at    set statistics 0,
    alter column recorded_at    set statistics 0,
    alter column detail         set statistics 0;

alter table cash_posting
    alter column event_type  set statistics 0,
    alter column amount      set statistics 0,
    alter column recorded_at set statistics 0;
