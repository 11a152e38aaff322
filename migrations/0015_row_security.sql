-- A second line of access control: the database itself shows a reader only the rows of the stores that the reader may
-- see. The queries narrow their rows as before; a mistake in one of them shows nothing that is another store's.
--
--   ledger_reader    answers the queries of who may see some stores: those that the setting `ledger.stores` names, with
--                    commas between them. Without the setting no row at all.
--   ledger_overseer  answers the queries of who may see the whole chain. A role of its own, and no value of the setting:
--                    the planner then knows that every row will do, and needs not guess.
--   ledger_app       the service itself; fills and checks the read models, and sees every row by a policy that says so.
--
-- Tables' owners are not held by policies: rebuilds, migrations and dumps run as the owner.

SET LOCAL lock_timeout = '5s';

-- Roles belong to the whole cluster: see 0001.
DO $$
DECLARE
    -- From PostgreSQL 16 on the right to become a role is granted apart from membership.
    v_right constant text :=
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
    v_role  text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['ledger_reader', 'ledger_overseer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of this cluster created it between the look and the act
            END;
        END IF;
        -- The service becomes it to read. Never the other way round: a reader gains nothing by it.
        IF NOT pg_has_role('ledger_app', v_role, v_right) THEN
            BEGIN
                EXECUTE format('GRANT %I TO ledger_app', v_role);
            EXCEPTION WHEN unique_violation THEN
                NULL;
            END;
        END IF;
        -- And the owner, where the service runs as the owner. Where not, it needs no such right.
        IF NOT pg_has_role(current_user, v_role, v_right) THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', v_role, current_user);
            EXCEPTION WHEN unique_violation OR insufficient_privilege THEN
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO ledger_reader, ledger_overseer;

-- Whether the reader may see an order: one whose row it sees. For tables that are no part of the order view: a policy
-- holds on to the very table that it names, and a rebuild puts another one in its place.
CREATE FUNCTION ledger_sees_order(p_order_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM public.order_view AS o WHERE o.order_id = p_order_id);
END
$$;

-- Which store something belongs to that a reader was not shown, so that the refusal can be put on record: the id and the
-- store, and nothing else. Past the policies, as the owner.
CREATE FUNCTION ledger_whose(p_kind text, p_id text, p_system text) RETURNS TABLE (id text, store_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    CASE p_kind
        WHEN 'order' THEN
            RETURN QUERY SELECT o.order_id::text, o.store_id FROM public.order_view AS o WHERE o.order_id = p_id::uuid;
        WHEN 'ref' THEN
            RETURN QUERY SELECT o.order_id::text, o.store_id FROM public.order_ref AS r
                JOIN public.order_view AS o USING (order_id) WHERE r.system = p_system AND r.reference = p_id;
        WHEN 'remittance' THEN
            RETURN QUERY SELECT r.id::text, r.store_id FROM public.remittance_view AS r WHERE r.id = p_id;
        WHEN 'store' THEN
            RETURN QUERY SELECT s.id::text, s.id::text FROM public.store_view AS s WHERE s.id = p_id;
    END CASE;
END
$$;

REVOKE ALL ON FUNCTION ledger_sees_order(uuid), ledger_whose(text, text, text) FROM public;
GRANT EXECUTE ON FUNCTION ledger_sees_order(uuid), ledger_whose(text, text, text) TO ledger_reader;

-- The setting is looked up once a query, not once a row: hence the subquery. A policy on each of a model's tables, also
-- on those that readers have no business with; a rebuild makes the new tables' policies after the old ones'. Tables that a
-- rebuild has kept, or is filling right now, may come into use: they get the same. What belongs to an order is seen by
-- whoever sees the order: a policy that names another table names the one in its own schema, which comes and goes with it.
DO $$
DECLARE
    v_own   constant text := $p$%I = ANY ((SELECT string_to_array(current_setting('ledger.stores', true), ','))::text[])$p$;
    v_rule  record;
    v_order constant text := 'EXISTS (SELECT 1 FROM %1$I.order_view AS o WHERE o.order_id = %2$I.order_id)';
    v_table record;
BEGIN
    FOR v_rule IN
        SELECT * FROM (VALUES
            -- The store's own rows.
            ('order_view', 'store_id', true), ('store_board', 'store_id', true), ('store_board_order', 'store_id', false),
            ('cash_posting', 'store_id', true), ('cash_balance', 'store_id', true), ('cash_order', 'store_id', true),
            ('cash_day', 'store_id', true), ('cash_store', 'store_id', true), ('remittance_view', 'store_id', true),
            ('store_view', 'id', true),
            ('metrics_hour', 'store_id', true), ('metrics_day', 'store_id', true), ('metrics_bundle', 'store_id', true),
            ('metrics_component', 'store_id', true), ('metrics_basket', 'store_id', true),
            ('metrics_partner', 'store_id', true), ('metrics_stage', 'store_id', true), ('metrics_step', 'store_id', true),
            -- What belongs to an order.
            ('order_ref', 'order', true), ('order_history', 'order', true),
            -- What bundles there are is no store's secret.
            ('bundle_view', 'everybody', true),
            -- The store that a dead letter names may be wrong: for who sees the whole chain.
            ('dead_letter_view', 'chain', true),
            -- The models' own memory: for no reader, but one that takes a snapshot of a model locks all of its tables.
            ('metrics_order', 'nobody', true), ('cash_remittance', 'nobody', false)
        ) AS rule (name, seen_by, is_read)
    LOOP
        FOR v_table IN
            SELECT c.oid::regclass AS name, n.nspname AS schema FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relname = v_rule.name AND c.relkind = 'r'
                AND (n.nspname = 'public' OR n.nspname ~ '^(retired|rebuild)_')
        LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', v_table.name);
            EXECUTE format('CREATE POLICY service ON %s TO ledger_app USING (true) WITH CHECK (true)', v_table.name);
            IF v_rule.is_read THEN
                EXECUTE format('GRANT SELECT ON %s TO ledger_reader, ledger_overseer', v_table.name);
            END IF;
            IF v_rule.seen_by <> 'nobody' THEN
                EXECUTE format('CREATE POLICY overseer ON %s FOR SELECT TO ledger_overseer USING (true)', v_table.name);
            END IF;
            IF v_rule.seen_by NOT IN ('nobody', 'chain') THEN
                EXECUTE format('CREATE POLICY reader ON %s FOR SELECT TO ledger_reader USING (%s)', v_table.name,
                    CASE v_rule.seen_by
                        WHEN 'everybody' THEN 'true'
                        WHEN 'order' THEN format(v_order, v_table.schema, v_rule.name)
                        ELSE format(v_own, v_rule.seen_by)
                    END);
            END IF;
        END LOOP;
    END LOOP;
END
$$;

-- Orders by phone number. Who erases and who adds does so as ledger_writer.
ALTER TABLE phone_index ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON phone_index TO ledger_app, ledger_writer USING (true) WITH CHECK (true);
CREATE POLICY overseer ON phone_index FOR SELECT TO ledger_overseer USING (true);
CREATE POLICY reader ON phone_index FOR SELECT TO ledger_reader USING (ledger_sees_order(order_id));
GRANT SELECT (order_id, hash) ON phone_index TO ledger_reader, ledger_overseer;

-- How far everything is; no store's.
GRANT SELECT ON projection_checkpoint, projection_failure, log_head TO ledger_reader, ledger_overseer;
-- Of the log itself only what tells how far it is, and one log from another.
GRANT SELECT (log_id, position, recorded_at, hash) ON events TO ledger_reader, ledger_overseer;
