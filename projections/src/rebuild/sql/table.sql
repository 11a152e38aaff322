-- The statements that make table $1 of the schema public once more in schema $2, without the indexes that no key needs;
-- with its keys ($3) or without them as well.
with live as (
    select c.oid, c.relname, c.reloptions, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
           quote_ident(n.nspname) || '.' || quote_ident(c.relname) as old,
           quote_ident($2) || '.' || quote_ident(c.relname) as new
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where c.oid = ('public.' || quote_ident($1))::regclass
),
written as (
    select 1 as step, 0::oid as part, format(
        'create table %s (like %s including defaults including constraints including generated including identity '
        'including storage including compression including comments)%s',
        new, old, coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '')
    ) as statement
    from live
    union all
    select 1, a.attnum::oid, format('alter table %s alter column %I set statistics %s', new, a.attname, a.attstattarget)
    from live join pg_attribute as a on a.attrelid = live.oid
    where a.attnum > 0 and not a.attisdropped and a.attstattarget >= 0
    union all
    select 2, k.oid, format('alter table %s add constraint %I %s', new, k.conname, pg_get_constraintdef(k.oid))
    from live join pg_constraint as k on k.conrelid = live.oid
    where $3 and k.contype in ('p', 'u', 'x', 'f')
    union all
    select 3, t.oid, replace(pg_get_triggerdef(t.oid), ' ON ' || old || ' ', ' ON ' || new || ' ')
    from live join pg_trigger as t on t.tgrelid = live.oid
    where not t.tgisinternal
    union all
    select 4, t.oid, format('alter table %s enable %s trigger %I', new, case t.tgenabled when 'A' then 'always' else 'replica' end, t.tgname)
    from live join pg_trigger as t on t.tgrelid = live.oid
    where not t.tgisinternal and t.tgenabled in ('A', 'R')
    union all
    select 5, p.oid, format(
        'create policy %I on %s as %s for %s to %s%s%s', p.polname, new,
        case when p.polpermissive then 'permissive' else 'restrictive' end,
        case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
        (select string_agg(case r when 0 then 'public' else r::regrole::text end, ', ') from unnest(p.polroles) as r),
        coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''),
        coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
    )
    from live join pg_policy as p on p.polrelid = live.oid
    union all
    select 6, 0, format('alter table %s enable row level security', new) from live where relrowsecurity
    union all
    select 7, 0, format('alter table %s force row level security', new) from live where relforcerowsecurity
    union all
    select 8, a.grantee, format('grant %s on %s to %s', string_agg(a.privilege_type, ', '), new, a.grantee::regrole)
    from live, aclexplode(relacl) as a
    where a.grantee <> 0 and a.grantee <> a.grantor
    group by a.grantee, new
    union all
    -- Rights to single columns, which the table's own do not show.
    select 9, a.grantee, format(
        'grant %s on %s to %s', string_agg(format('%s (%I)', a.privilege_type, c.attname), ', '), new, a.grantee::regrole
    )
    from live
    join pg_attribute as c on c.attrelid = live.oid and c.attnum > 0 and not c.attisdropped,
    aclexplode(c.attacl) as a
    where a.grantee <> 0 and a.grantee <> a.grantor
    group by a.grantee, new
)
select statement from written order by step, part
