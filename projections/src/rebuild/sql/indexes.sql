-- The statements that make the indexes of table $1 that no key brought, for its second self in schema $2.
select replace(
    pg_get_indexdef(i.indexrelid),
    ' ON public.' || quote_ident(c.relname) || ' ',
    ' ON ' || quote_ident($2) || '.' || quote_ident(c.relname) || ' '
)
from pg_index as i
join pg_class as c on c.oid = i.indrelid
where i.indrelid = ('public.' || quote_ident($1))::regclass
    and not exists (select from pg_constraint as k where k.conindid = i.indexrelid)
order by i.indexrelid
