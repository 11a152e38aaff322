-- A row of table $1 as a record whose columns can all be hashed: what is json goes in as its text.
select 'row(' || string_agg(
    't.' || quote_ident(a.attname) || case when a.atttypid = 'json'::regtype then '::text' else '' end, ', ' order by a.attnum
) || ')'
from pg_attribute as a
where a.attrelid = ('public.' || quote_ident($1))::regclass and a.attnum > 0 and not a.attisdropped
