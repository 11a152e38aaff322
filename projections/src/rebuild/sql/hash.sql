-- How many rows a table has, and the sum of their hashes. The sum knows no order, so nothing has to be sorted or held; that
-- two different sets of rows have the same one is a chance of 1 to 2^64.
select count(*), coalesce(sum(hash_record_extended({row}, 0)), 0)::text from {schema}.{table} as t where {counts}
