-- Tables like the log's, with samples of rows the bus wrote. {batch} events make one transaction.
DROP SCHEMA IF EXISTS ceiling CASCADE;
CREATE SCHEMA ceiling;
CREATE TABLE ceiling.events (LIKE public.events INCLUDING ALL);
CREATE TABLE ceiling.command_log (LIKE public.command_log INCLUDING ALL);
CREATE TABLE ceiling.stream_head (LIKE public.stream_head INCLUDING ALL) WITH (fillfactor = 80);
CREATE TABLE ceiling.claims (LIKE public.claims INCLUDING ALL);
CREATE SEQUENCE ceiling.position;
-- The newest events: with many lives under way, every kind is among them.
CREATE TABLE ceiling.sample_events AS
    SELECT * FROM public.events ORDER BY position DESC LIMIT {batch};
CREATE TABLE ceiling.sample_commands AS
    SELECT l.* FROM public.command_log l
     WHERE (l.log_id, l.command_id) IN (SELECT log_id, command_id FROM ceiling.sample_events);
-- Orders that only move on: each pgbench client has its own, as each stream has one command in a batch.
INSERT INTO ceiling.stream_head (log_id, aggregate_type, aggregate_id, version, first_position, last_position)
    SELECT 1, 'order', client || '-' || n, 1, 1, 1
      FROM generate_series(0, {clients} - 1) AS client, generate_series(1, {moved}) AS n;
ANALYZE ceiling.events, ceiling.command_log, ceiling.stream_head, ceiling.claims;
