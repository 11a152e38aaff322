-- Orders by phone number: a blind index beside the log (docs/adr/0016-orders-by-phone.md).
--
-- A row holds a keyed hash of the number, never the number. It is written with the event that brings
-- the contact, and it goes with the subject's key: `ledger_forget` removes both in one transaction.
-- What is missing (orders of before, orders of a release that did not write it) is added by the
-- process `phone_index`, which reads the log.

SET LOCAL lock_timeout = '5s';

CREATE TABLE phone_index (
    log_id   smallint NOT NULL,
    order_id uuid     NOT NULL,
    -- HMAC-SHA-256 of the number in E.164 under a key derived from the master key, its first 16 bytes.
    hash     bytea    NOT NULL CHECK (octet_length(hash) = 16),
    -- The name of the key that the contact is sealed with, as in subject_key.
    subject  text     NOT NULL,
    CONSTRAINT phone_index_pk PRIMARY KEY (log_id, order_id)
);
-- Order ids are unique over all logs, so the look-up needs no log_id.
CREATE INDEX phone_index_hash ON phone_index (hash, order_id);
CREATE INDEX phone_index_subject ON phone_index (log_id, subject);

GRANT SELECT, INSERT ON phone_index TO ledger_app;
GRANT SELECT, INSERT, DELETE ON phone_index TO ledger_writer;
GRANT USAGE, CREATE ON SCHEMA public TO ledger_writer;

-- As in 0004, and takes the subject's rows out of the index. They go after the keys, in a later
-- statement: whoever adds rows holds the key's row meanwhile, so what they added is seen here.
CREATE OR REPLACE FUNCTION ledger_forget(p_log_id smallint, p_names text[], p_actor text)
RETURNS TABLE (destroyed text[], at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
    max_names   constant integer := 1024;
    v_destroyed text[];
BEGIN
    IF coalesce(cardinality(p_names), 0) NOT BETWEEN 1 AND max_names OR coalesce(p_actor, '') = '' THEN
        RAISE EXCEPTION '1 to % names and an actor, please', max_names
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM 1 FROM log_head h WHERE h.log_id = p_log_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'log % does not exist', p_log_id USING ERRCODE = 'no_data_found';
    END IF;
    WITH gone AS (
        UPDATE subject_key k SET wrapped = ''
         WHERE k.log_id = p_log_id AND k.subject = ANY (p_names) AND k.wrapped <> ''
        RETURNING k.subject
    )
    SELECT coalesce(array_agg(gone.subject), '{}') INTO v_destroyed FROM gone;
    DELETE FROM phone_index i WHERE i.log_id = p_log_id AND i.subject = ANY (p_names);
    RETURN QUERY
        INSERT INTO erasure (log_id, subject, destroyed, actor)
        VALUES (p_log_id, p_names[1], v_destroyed, p_actor)
        RETURNING erasure.destroyed, erasure.at;
END
$$;

-- Adds the rows that are missing, one per entry of the arrays, of subjects that still have their key;
-- returns how many. Holds those keys until the end of the transaction: an erasure is wholly before it,
-- and nothing is added, or wholly after it, and removes what was added.
CREATE FUNCTION ledger_index_phones(
    p_log_id smallint, p_order_ids uuid[], p_hashes bytea[], p_subjects text[]
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s'
AS $$
DECLARE
    max_rows constant integer := 1024;
    v_added  bigint;
BEGIN
    IF cardinality(p_order_ids) > max_rows OR cardinality(p_hashes) <> cardinality(p_order_ids)
            OR cardinality(p_subjects) <> cardinality(p_order_ids) THEN
        RAISE EXCEPTION 'three arrays of one length, at most %', max_rows
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- In the order of their names, as everybody who locks several.
    PERFORM 1 FROM subject_key k
      WHERE k.log_id = p_log_id AND k.subject = ANY (p_subjects)
      ORDER BY k.subject FOR SHARE;
    -- A later statement: it sees the keys as they are under the locks.
    INSERT INTO phone_index (log_id, order_id, hash, subject)
    SELECT p_log_id, t.order_id, t.hash, t.subject
      FROM unnest(p_order_ids, p_hashes, p_subjects) AS t(order_id, hash, subject)
     WHERE EXISTS (SELECT FROM subject_key k
                    WHERE k.log_id = p_log_id AND k.subject = t.subject AND k.wrapped <> '')
        ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_added = ROW_COUNT;
    RETURN v_added;
END
$$;

REVOKE ALL ON FUNCTION ledger_index_phones(smallint, uuid[], bytea[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_index_phones(smallint, uuid[], bytea[], text[]) TO ledger_app;
ALTER FUNCTION ledger_index_phones(smallint, uuid[], bytea[], text[]) OWNER TO ledger_writer;
REVOKE CREATE ON SCHEMA public FROM ledger_writer;
