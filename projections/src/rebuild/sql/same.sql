-- Whether one table has the same rows in both of its versions. The sum of the rows' hashes knows no order, so nothing
-- has to be sorted or held; that two different sets of rows have the same one is a chance of 1 to 2^64.
select (
    select (count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)) from public.{table} as t where {counts}
) = (
    select (count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)) from {schema}.{table} as t where {counts}
)
