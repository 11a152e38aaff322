-- The event log: roles, tables, the append function and what keeps the log append-only.
--
-- Runs as the owner of the database (CREATEROLE, no superuser needed) or as a superuser.
-- Roles belong to the whole cluster, so creating them must survive other databases doing the
-- same at the same moment.

DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'the database has encoding %, the ledger needs UTF8: create it with ENCODING ''UTF8'' TEMPLATE template0',
            current_setting('server_encoding');
    END IF;
END
$$;

-- ---------------------------------------------------------------------------------------------
-- Roles
--   ledger_writer  nobody logs in as it; it owns the append function and nothing else
--   ledger_app     the service: reads everything, appends only through the function
-- ---------------------------------------------------------------------------------------------
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger_writer') THEN
        BEGIN
            CREATE ROLE ledger_writer NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of this cluster created it between the look and the act
        END;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger_app') THEN
        BEGIN
            CREATE ROLE ledger_app NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    -- To give an object to another role one must be a member of it (always true of a superuser).
    -- From PostgreSQL 16 on the right to become it is granted apart from membership.
    IF NOT pg_has_role(current_user, 'ledger_writer', CASE
            WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
        BEGIN
            EXECUTE format('GRANT ledger_writer TO %I', current_user);
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
    END IF;
END
$$;

-- CREATE is needed only to receive the function; it is taken back at the end of this file.
GRANT USAGE, CREATE ON SCHEMA public TO ledger_writer;
GRANT USAGE ON SCHEMA public TO ledger_app;

-- ---------------------------------------------------------------------------------------------
-- Tables of the log. Every key starts with log_id, so that one chain can later be split.
-- ---------------------------------------------------------------------------------------------

-- The end of each log: one row, locked by every append. Updated in place, hence the free space.
CREATE TABLE log_head (
    log_id      smallint    PRIMARY KEY,
    position    bigint      NOT NULL CHECK (position >= 0),
    hash        bytea       NOT NULL CHECK (octet_length(hash) = 32),
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

INSERT INTO log_head (log_id, position, hash, recorded_at)
VALUES (1, 0, decode(repeat('00', 32), 'hex'), 'epoch');

-- The authority on stream versions. Positions are kept so that a stream's reader prunes partitions.
CREATE TABLE stream_head (
    log_id         smallint NOT NULL,
    aggregate_type text     NOT NULL,
    aggregate_id   text     NOT NULL,
    version        bigint   NOT NULL CHECK (version > 0),
    first_position bigint   NOT NULL,
    last_position  bigint   NOT NULL,
    PRIMARY KEY (log_id, aggregate_type, aggregate_id)
) WITH (fillfactor = 80);

-- One row per command that appended something, for good: the idempotency key and its receipt.
-- The receipt's event ids are those of events first_position..last_position.
CREATE TABLE command_log (
    log_id         smallint NOT NULL,
    command_id     uuid     NOT NULL,
    request_hash   bytea    NOT NULL CHECK (octet_length(request_hash) = 32),
    aggregate_id   text     NOT NULL,
    first_position bigint   NOT NULL,
    last_position  bigint   NOT NULL,
    version        bigint   NOT NULL,
    PRIMARY KEY (log_id, command_id)
);

-- The log. The first seven columns are those postgres-es expects. `json`, not `jsonb`: the text
-- is hashed, so it must come back byte for byte.
--
-- A key on (aggregate_type, aggregate_id, sequence) cannot be unique on a table partitioned by
-- position; the head lock and stream_head keep it unique and `verify` checks it.
CREATE TABLE events (
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    log_id         smallint    NOT NULL,
    position       bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    command_id     uuid        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    content_hash   bytea       NOT NULL,
    prev_hash      bytea       NOT NULL,
    hash           bytea       NOT NULL,
    PRIMARY KEY (log_id, position)
) PARTITION BY RANGE (position);

-- A placed order is just large enough to be compressed, and pglz takes longer than the insert itself.
DO $$
BEGIN
    ALTER TABLE events ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL; -- a server built without lz4: slower, not wrong
END
$$;

CREATE INDEX events_stream ON events (aggregate_type, aggregate_id, sequence);

-- Values that may belong to one stream only, such as an order number or a partner's reference.
CREATE TABLE claims (
    log_id       smallint NOT NULL,
    scope        text     NOT NULL,
    value        text     NOT NULL,
    aggregate_id text     NOT NULL,
    command_id   uuid     NOT NULL,
    PRIMARY KEY (log_id, scope, value)
);

-- Wrapped keys of personal data. Removing one erases the person and leaves the chain valid.
CREATE TABLE subject_key (
    log_id     smallint    NOT NULL,
    subject    text        NOT NULL,
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log_id, subject)
);

-- ---------------------------------------------------------------------------------------------
-- Tables beside the log
-- ---------------------------------------------------------------------------------------------

-- Order numbers are drawn in blocks, one counter per day. `next` is the next free number.
CREATE TABLE number_counter (
    log_id smallint NOT NULL,
    day    date     NOT NULL,
    next   bigint   NOT NULL CHECK (next > 0),
    PRIMARY KEY (log_id, day)
) WITH (fillfactor = 10);

-- Reference data of the stores.
CREATE TABLE store (
    store_id  text          PRIMARY KEY,
    name      text          NOT NULL,
    region    text          NOT NULL,
    zone      text          NOT NULL,
    active    boolean       NOT NULL DEFAULT true,
    cod_limit numeric(18,4) CHECK (cod_limit >= 0), -- THB; NULL = the zone's default
    opened_at timestamptz   NOT NULL DEFAULT clock_timestamp()
);

-- A cache of folded streams: may be emptied at any time. One row per stream and shape of state,
-- so that two releases running side by side do not overwrite each other.
CREATE TABLE snapshots (
    log_id         smallint    NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    state_tag      text        NOT NULL,
    version        bigint      NOT NULL CHECK (version > 0),
    state          json        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log_id, aggregate_type, aggregate_id, state_tag)
);

-- How far each read model is. Moved in the transaction that writes the model's rows.
CREATE TABLE projection_checkpoint (
    log_id      smallint    NOT NULL,
    name        text        NOT NULL,
    position    bigint      NOT NULL CHECK (position >= 0),
    owner_epoch bigint      NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log_id, name)
) WITH (fillfactor = 10);

-- Who was refused what. The caller is told "not found"; the reason is kept here.
CREATE TABLE access_audit (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor  text        NOT NULL,
    role   text        NOT NULL,
    action text        NOT NULL,
    target text        NOT NULL,
    reason text        NOT NULL
);

-- ---------------------------------------------------------------------------------------------
-- Append-only: refused for everybody, the owner included. ENABLE ALWAYS, so that
-- session_replication_role = replica does not switch it off either. Statement triggers suffice:
-- each fires on the table the statement names, and every partition gets its own.
-- ---------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'History is corrected by appending a new command, never by changing what is stored.';
END
$$;

CREATE FUNCTION ledger_make_append_only(p_table regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
         FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_refuse_change()', p_table);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', p_table);
END
$$;

SELECT ledger_make_append_only(t)
FROM unnest(ARRAY['events', 'command_log', 'claims', 'access_audit']::regclass[]) AS t;

-- ---------------------------------------------------------------------------------------------
-- Partitions of events
--
-- There is no default partition on purpose. Rows that fell into one could never be moved out
-- (they must not be deleted), and from then on the range they lie in could not get a partition
-- of its own. Without one, an append beyond the last partition fails as a whole, nothing is
-- written, and the writer makes the partition and repeats the call.
-- ---------------------------------------------------------------------------------------------

-- Makes partitions of p_size positions until one lies wholly ahead of the head. Returns the first
-- position that has no partition yet. ATTACH instead of CREATE .. PARTITION OF: it lets readers
-- and appends go on.
CREATE FUNCTION ledger_create_partitions(p_size bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    v_head  bigint;
    v_end   bigint;
    v_name  text;
BEGIN
    IF p_size IS NULL OR p_size < 1 THEN
        RAISE EXCEPTION 'a partition needs at least one position, not %', p_size
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- The ends below are read after this lock, so two callers never make the same partition.
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger_create_partitions', 0));
    SELECT coalesce(max(position), 0) INTO v_head FROM log_head;
    SELECT coalesce(max(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''?(\d+)')::bigint), 1)
      INTO v_end
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'public.events'::regclass;
    WHILE v_end <= v_head + p_size LOOP
        v_name := 'events_p' || lpad(v_end::text, 16, '0');
        EXECUTE format('CREATE TABLE public.%I (LIKE public.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMPRESSION)', v_name);
        PERFORM ledger_make_append_only(format('public.%I', v_name)::regclass);
        EXECUTE format('ALTER TABLE public.events ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                       v_name, v_end, v_end + p_size);
        v_end := v_end + p_size;
    END LOOP;
    RETURN v_end;
END
$$;

-- What the service may call: partitions of ten million positions (about 10 GB of orders each).
CREATE FUNCTION ledger_ensure_partitions() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT public.ledger_create_partitions(10000000)
$$;

-- ---------------------------------------------------------------------------------------------
-- The append: one call, one transaction, many commands
--
-- Must run under READ COMMITTED: the first statement waits for the head row, and every later
-- statement of a volatile function takes a new snapshot, so it sees all that was committed while
-- this call waited. (In a single SQL statement the snapshot would be older than the wait.)
--
-- Keys are looked up by their full primary key, one index search a row, and rows are inserted from
-- unnest without a join: plans cached while the tables were empty then stay right while they grow.
-- The settings pin that: one generic plan, nested loops over indexes, never a sequential scan, no JIT.
--
-- Per command, in order: p_event_counts and p_claim_counts say how many of the per-event and
-- per-claim arrays' next entries are its own. p_content_hashes is the events' 32-byte content
-- hashes, concatenated. A command is refused alone: it takes no position, and its id stays free.
--
-- Outcomes: appended, replayed (same id and request: the first receipt), reused (same id, other
-- request), conflict (version holds the actual one), claimed (holder is the stream that has
-- claim_scope/claim_value, with its receipt if that command made the same request), key_exists
-- (the subject has another key).
-- ---------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_append(
    p_log_id          smallint,
    p_command_ids     uuid[],
    p_request_hashes  bytea[],
    p_aggregate_types text[],
    p_aggregate_ids   text[],
    p_expected        bigint[],
    p_event_counts    integer[],
    p_claim_counts    integer[],
    p_subjects        text[],
    p_wrapped_keys    bytea[],
    p_event_ids       uuid[],
    p_event_types     text[],
    p_event_versions  text[],
    p_payloads        text[],
    p_metadata        text[],
    p_content_hashes  bytea,
    p_claim_scopes    text[],
    p_claim_values    text[]
) RETURNS TABLE (
    outcome          text,
    version          bigint,
    first_position   bigint,
    last_position    bigint,
    event_ids        uuid[],
    holder           text,
    holder_command   uuid,
    claim_scope      text,
    claim_value      text,
    lock_wait_micros bigint
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET enable_memoize = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    max_commands constant integer := 1024;
    max_events   constant integer := 16384;
    v_started    timestamptz := clock_timestamp();
    v_wait       bigint;
    v_head       bigint;
    v_hash       bytea;
    v_recorded   timestamptz;
    v_stamp      bytea;
    v_position   bigint;
    v_first      bigint;
    v_event      integer := 0;  -- entries of the event arrays consumed so far
    v_claim      integer := 0;  -- entries of the claim arrays consumed so far
    v_prior      record;
    v_row        record;
    c            record;
    -- per command, NULL where refused (filled first: an array grown from empty would start at
    -- the first index assigned, not at 1)
    v_firsts     bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_command_ids)]);
    v_lasts      bigint[] := v_firsts;
    v_versions   bigint[] := v_firsts;
    -- per event, position NULL where refused
    v_types      text[]   := array_fill(NULL::text, ARRAY[cardinality(p_event_ids)]);
    v_ids        text[]   := v_types;
    v_commands   uuid[]   := array_fill(NULL::uuid, ARRAY[cardinality(p_event_ids)]);
    v_sequences  bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_event_ids)]);
    v_positions  bigint[] := v_sequences;
    v_prevs      bytea[]  := array_fill(NULL::bytea, ARRAY[cardinality(p_event_ids)]);
    v_hashes     bytea[]  := v_prevs;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'ledger_append needs READ COMMITTED, not %', current_setting('transaction_isolation')
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF cardinality(p_command_ids) > max_commands OR cardinality(p_event_ids) > max_events THEN
        RAISE EXCEPTION 'at most % commands and % events in one call', max_commands, max_events
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    IF octet_length(p_content_hashes) <> 32 * cardinality(p_event_ids) THEN
        RAISE EXCEPTION 'one 32-byte content hash per event, please'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    SELECT h.position, h.hash, h.recorded_at INTO v_head, v_hash, v_recorded
      FROM log_head h WHERE h.log_id = p_log_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'log % does not exist', p_log_id USING ERRCODE = 'no_data_found';
    END IF;
    v_wait     := extract(epoch FROM clock_timestamp() - v_started) * 1000000;
    v_recorded := greatest(clock_timestamp(), v_recorded);
    v_stamp    := int8send((extract(epoch FROM v_recorded) * 1000000)::bigint);
    v_position := v_head;

    -- One look-up of every command id and every stream, after the lock. The settings above leave the
    -- planner nothing but one index search per row; a batch holds a stream and an id only once.
    FOR c IN
        SELECT t.*, l.request_hash AS prior_hash, l.aggregate_id AS prior_id, l.version AS prior_version,
               l.first_position AS prior_first, l.last_position AS prior_last,
               coalesce(s.version, 0) AS actual
          FROM unnest(p_command_ids, p_request_hashes, p_aggregate_types, p_aggregate_ids,
                      p_expected, p_event_counts, p_claim_counts, p_subjects, p_wrapped_keys)
               WITH ORDINALITY
               AS t(command_id, request_hash, aggregate_type, aggregate_id,
                    expected, event_count, claim_count, subject, wrapped, ordinal)
          LEFT JOIN command_log l ON l.log_id = p_log_id AND l.command_id = t.command_id
          LEFT JOIN stream_head s ON s.log_id = p_log_id AND s.aggregate_type = t.aggregate_type
                                 AND s.aggregate_id = t.aggregate_id
         ORDER BY t.ordinal
    LOOP
        outcome := NULL; version := NULL; first_position := NULL; last_position := NULL;
        event_ids := NULL; holder := NULL; holder_command := NULL;
        claim_scope := NULL; claim_value := NULL; lock_wait_micros := v_wait;

        IF c.prior_hash IS NOT NULL THEN
            IF c.prior_hash = c.request_hash THEN
                outcome := 'replayed';
                holder := c.prior_id;
                version := c.prior_version;
                first_position := c.prior_first;
                last_position := c.prior_last;
                event_ids := ARRAY(SELECT e.event_id FROM events e
                                    WHERE e.log_id = p_log_id
                                      AND e.position BETWEEN c.prior_first AND c.prior_last
                                    ORDER BY e.position);
            ELSE
                outcome := 'reused';
            END IF;
        ELSIF c.actual <> c.expected THEN
            outcome := 'conflict';
            version := c.actual;
        END IF;

        IF outcome IS NULL THEN
            FOR i IN v_claim + 1 .. v_claim + c.claim_count LOOP
                SELECT k.aggregate_id, k.command_id INTO v_row FROM claims k
                 WHERE k.log_id = p_log_id AND k.scope = p_claim_scopes[i] AND k.value = p_claim_values[i];
                IF FOUND AND v_row.aggregate_id <> c.aggregate_id THEN
                    outcome := 'claimed';
                    holder := v_row.aggregate_id;
                    claim_scope := p_claim_scopes[i];
                    claim_value := p_claim_values[i];
                    SELECT l.version, l.first_position, l.last_position INTO v_prior
                      FROM command_log l
                     WHERE l.log_id = p_log_id AND l.command_id = v_row.command_id
                       AND l.request_hash = c.request_hash;
                    IF FOUND THEN
                        holder_command := v_row.command_id;
                        version := v_prior.version;
                        first_position := v_prior.first_position;
                        last_position := v_prior.last_position;
                        event_ids := ARRAY(SELECT e.event_id FROM events e
                                            WHERE e.log_id = p_log_id
                                              AND e.position BETWEEN v_prior.first_position AND v_prior.last_position
                                            ORDER BY e.position);
                    END IF;
                    EXIT;
                END IF;
            END LOOP;
        END IF;

        IF outcome IS NULL AND c.subject IS NOT NULL THEN
            SELECT k.wrapped INTO v_row FROM subject_key k
             WHERE k.log_id = p_log_id AND k.subject = c.subject;
            IF NOT FOUND THEN
                -- Keys are stored by appends only, so under the head lock nobody else is at it.
                INSERT INTO subject_key (log_id, subject, wrapped) VALUES (p_log_id, c.subject, c.wrapped);
            ELSIF v_row.wrapped <> c.wrapped THEN
                outcome := 'key_exists';
            END IF;
        END IF;

        IF outcome IS NULL THEN
            FOR i IN v_claim + 1 .. v_claim + c.claim_count LOOP
                INSERT INTO claims (log_id, scope, value, aggregate_id, command_id)
                VALUES (p_log_id, p_claim_scopes[i], p_claim_values[i], c.aggregate_id, c.command_id)
                ON CONFLICT DO NOTHING; -- already this very stream's
            END LOOP;
            v_first := v_position + 1;
            FOR i IN 1 .. c.event_count LOOP
                v_event := v_event + 1;
                v_position := v_position + 1;
                v_types[v_event] := c.aggregate_type;
                v_ids[v_event] := c.aggregate_id;
                v_commands[v_event] := c.command_id;
                v_sequences[v_event] := c.expected + i;
                v_positions[v_event] := v_position;
                v_prevs[v_event] := v_hash;
                v_hash := sha256(v_hash || int8send(v_position) || v_stamp
                                 || substring(p_content_hashes FROM 32 * v_event - 31 FOR 32));
                v_hashes[v_event] := v_hash;
            END LOOP;
            outcome := 'appended';
            version := c.expected + c.event_count;
            first_position := v_first;
            last_position := v_position;
            v_firsts[c.ordinal] := v_first;
            v_lasts[c.ordinal] := v_position;
            v_versions[c.ordinal] := version;
        ELSE
            v_event := v_event + c.event_count;
        END IF;
        v_claim := v_claim + c.claim_count;
        RETURN NEXT;
    END LOOP;

    IF v_position = v_head THEN
        RETURN;
    END IF;

    INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
                        metadata, log_id, position, event_id, command_id, recorded_at,
                        content_hash, prev_hash, hash)
    SELECT t.aggregate_type, t.aggregate_id, t.sequence, t.event_type, t.event_version, t.payload::json,
           t.metadata::json, p_log_id, t.position, t.event_id, t.command_id, v_recorded,
           substring(p_content_hashes FROM 32 * t.ordinal::integer - 31 FOR 32), t.prev_hash, t.hash
      FROM unnest(v_types, v_ids, v_sequences, p_event_types, p_event_versions, p_payloads, p_metadata,
                  v_positions, p_event_ids, v_commands, v_prevs, v_hashes)
           WITH ORDINALITY
           AS t(aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                position, event_id, command_id, prev_hash, hash, ordinal)
     WHERE t.position IS NOT NULL;

    INSERT INTO command_log (log_id, command_id, request_hash, aggregate_id, first_position, last_position, version)
    SELECT p_log_id, t.command_id, t.request_hash, t.aggregate_id, t.first_position, t.last_position, t.version
      FROM unnest(p_command_ids, p_request_hashes, p_aggregate_ids, v_firsts, v_lasts, v_versions)
           AS t(command_id, request_hash, aggregate_id, first_position, last_position, version)
     WHERE t.first_position IS NOT NULL;

    INSERT INTO stream_head AS s (log_id, aggregate_type, aggregate_id, version, first_position, last_position)
    SELECT p_log_id, t.aggregate_type, t.aggregate_id, t.version, t.first_position, t.last_position
      FROM unnest(p_aggregate_types, p_aggregate_ids, v_versions, v_firsts, v_lasts)
           AS t(aggregate_type, aggregate_id, version, first_position, last_position)
     WHERE t.first_position IS NOT NULL
        ON CONFLICT (log_id, aggregate_type, aggregate_id)
        DO UPDATE SET version = excluded.version, last_position = excluded.last_position;

    UPDATE log_head h SET position = v_position, hash = v_hash, recorded_at = v_recorded
     WHERE h.log_id = p_log_id;

    PERFORM pg_notify('ledger_appended', p_log_id || ':' || v_position);
END
$$;

-- ---------------------------------------------------------------------------------------------
-- Grants
-- ---------------------------------------------------------------------------------------------
GRANT SELECT, UPDATE ON log_head TO ledger_writer;
GRANT SELECT, INSERT, UPDATE ON stream_head TO ledger_writer;
GRANT SELECT, INSERT ON events, command_log, claims, subject_key TO ledger_writer;

GRANT SELECT ON log_head, stream_head, events, command_log, claims TO ledger_app;
GRANT SELECT ON subject_key TO ledger_app;
GRANT SELECT, INSERT ON access_audit TO ledger_app;
GRANT SELECT, INSERT, UPDATE ON number_counter, store, projection_checkpoint TO ledger_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON snapshots TO ledger_app;

REVOKE ALL ON FUNCTION ledger_refuse_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger_make_append_only(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger_create_partitions(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger_ensure_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_ensure_partitions() TO ledger_app;

DO $$
DECLARE
    v_append regprocedure := (SELECT oid FROM pg_proc
                               WHERE proname = 'ledger_append' AND pronamespace = 'public'::regnamespace);
BEGIN
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_append);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ledger_app', v_append);
    EXECUTE format('ALTER FUNCTION %s OWNER TO ledger_writer', v_append);
    -- The service reports which migrations are missing.
    IF to_regclass('public._sqlx_migrations') IS NOT NULL THEN
        GRANT SELECT ON _sqlx_migrations TO ledger_app;
    END IF;
END
$$;
REVOKE CREATE ON SCHEMA public FROM ledger_writer;
