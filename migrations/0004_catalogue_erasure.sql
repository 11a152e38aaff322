-- The product catalogue, and the erasure of persons.

SET LOCAL lock_timeout = '5s';

-- ---------------------------------------------------------------------------------------------
-- What is known of the products that stores sell. Filled by `ledger catalogue import`; empty means
-- that there is no catalogue.
-- ---------------------------------------------------------------------------------------------
CREATE TABLE product (
    sku               text          PRIMARY KEY,
    name_th           text,
    name_en           text,
    short_description text,
    image_url         text,
    list_price        numeric(18,4) CHECK (list_price >= 0), -- THB; the most a unit may cost outside marketplaces
    updated_at        timestamptz   NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT, UPDATE, DELETE ON product TO ledger_app;

-- ---------------------------------------------------------------------------------------------
-- Erasure
--
-- A destroyed key leaves its row behind with nothing in it. ledger_append compares the key that an
-- append brings with the row's, so what was sealed with a destroyed key is refused, whoever still
-- remembers it, and the name can never get another key. What comes later is sealed under the
-- subject's next name.
--
-- A process of the release before takes an emptied row for a damaged key: erase when none is left.
-- ---------------------------------------------------------------------------------------------

-- Who erased whom, for good. The subject is an id, never a name or a number of a person.
CREATE TABLE erasure (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log_id    smallint    NOT NULL,
    subject   text        NOT NULL,
    destroyed text[]      NOT NULL, -- names of the keys that there were
    actor     text        NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

SELECT ledger_make_append_only('erasure'::regclass);

GRANT USAGE, CREATE ON SCHEMA public TO ledger_writer;
GRANT UPDATE (wrapped) ON subject_key TO ledger_writer;
GRANT INSERT, SELECT ON erasure TO ledger_writer;
GRANT SELECT ON erasure TO ledger_app;

-- Destroys the keys under these names of one subject and keeps that it was done. The names are the
-- subject's, oldest first; the first stands for the subject. Takes the head of the log like an
-- append does: an append is wholly before it, and its key is destroyed, or wholly after it, and is
-- refused if it is sealed with that key.
CREATE FUNCTION ledger_forget(p_log_id smallint, p_names text[], p_actor text)
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
    RETURN QUERY
        INSERT INTO erasure (log_id, subject, destroyed, actor)
        VALUES (p_log_id, p_names[1], v_destroyed, p_actor)
        RETURNING erasure.destroyed, erasure.at;
END
$$;

REVOKE ALL ON FUNCTION ledger_forget(smallint, text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_forget(smallint, text[], text) TO ledger_app;
ALTER FUNCTION ledger_forget(smallint, text[], text) OWNER TO ledger_writer;
REVOKE CREATE ON SCHEMA public FROM ledger_writer;
