-- A command that changes nothing is remembered as well.
--
-- What was acknowledged must stay so: a command that found its work done already and is repeated later, when somebody
-- has undone that work, must not do it again. So it gets a row of command_log too, at the version it was decided on,
-- with an empty range of positions: from one after the stream's last event to that event. It takes no position of the
-- log and wakes nobody. A refused command still leaves nothing behind.
--
-- `ledger_append` is that of 0001 with p_event_counts of 0 allowed; arguments and result are the same, so processes of
-- the release before go on calling it.

SET LOCAL lock_timeout = '5s';

CREATE OR REPLACE FUNCTION ledger_append(
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
               coalesce(s.version, 0) AS actual, coalesce(s.last_position, 0) AS stood
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
            IF c.event_count = 0 THEN
                first_position := c.stood + 1;
                last_position := c.stood;
            END IF;
            v_firsts[c.ordinal] := first_position;
            v_lasts[c.ordinal] := last_position;
            v_versions[c.ordinal] := version;
        ELSE
            v_event := v_event + c.event_count;
        END IF;
        v_claim := v_claim + c.claim_count;
        RETURN NEXT;
    END LOOP;

    INSERT INTO command_log (log_id, command_id, request_hash, aggregate_id, first_position, last_position, version)
    SELECT p_log_id, t.command_id, t.request_hash, t.aggregate_id, t.first_position, t.last_position, t.version
      FROM unnest(p_command_ids, p_request_hashes, p_aggregate_ids, v_firsts, v_lasts, v_versions)
           AS t(command_id, request_hash, aggregate_id, first_position, last_position, version)
     WHERE t.first_position IS NOT NULL;

    IF v_position = v_head THEN
        RETURN; -- nothing new in the log
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

    INSERT INTO stream_head AS s (log_id, aggregate_type, aggregate_id, version, first_position, last_position)
    SELECT p_log_id, t.aggregate_type, t.aggregate_id, t.version, t.first_position, t.last_position
      FROM unnest(p_aggregate_types, p_aggregate_ids, v_versions, v_firsts, v_lasts)
           AS t(aggregate_type, aggregate_id, version, first_position, last_position)
     WHERE t.first_position <= t.last_position
        ON CONFLICT (log_id, aggregate_type, aggregate_id)
        DO UPDATE SET version = excluded.version, last_position = excluded.last_position;

    UPDATE log_head h SET position = v_position, hash = v_hash, recorded_at = v_recorded
     WHERE h.log_id = p_log_id;

    PERFORM pg_notify('ledger_appended', p_log_id || ':' || v_position);
END
$$;
