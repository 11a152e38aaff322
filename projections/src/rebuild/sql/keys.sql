-- The statements that make the keys of table $1 that its second self in schema $2 has not got yet.
with live as (
    select ('public.' || quote_ident($1))::regclass as old,
           (quote_ident($2) || '.' || quote_ident($1))::regclass as new
)
select format('alter table %s add constraint %I %s', live.new, k.conname, pg_get_constraintdef(k.oid))
from live join pg_constraint as k on k.conrelid = live.old
where k.contype in ('p', 'u', 'x', 'f')
    and not exists (select from pg_constraint as n where n.conrelid = live.new and n.conname = k.conname)
order by k.oid
