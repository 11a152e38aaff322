-- Rows of one table that are not in both of its versions. A row goes in as its hash: a table of large rows need not be
-- sorted whole.
with rows as (
    select left(concat_ws('/', {key}), {chars}) as key, md5(t::text) as row, 1 as side from public.{table} as t where {counts}
    union all
    select left(concat_ws('/', {key}), {chars}), md5(t::text), -1 from {schema}.{table} as t where {counts}
),
different as (
    select key, row, sum(side) as side from rows group by key, row having sum(side) <> 0
)
select coalesce(sum(side) filter (where side > 0), 0)::bigint,
       coalesce(-sum(side) filter (where side < 0), 0)::bigint,
       array(select distinct key from different order by key limit {named})
from different
