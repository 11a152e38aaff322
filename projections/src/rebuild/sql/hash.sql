-- How many rows a table has, and the sum of their hashes. The sum knows no order, so nothing has to be sorted or held; that
-- two different sets of rows have the same one is a chance of 1 to 2^64. A record's hash is hashed once more: it is a sum of its
-- columns' hashes, so that a value exchanged between two rows would not show in a sum of records.
select count(*), coalesce(sum(hashtextextended(hash_record_extended({row}, 0)::text, 0)), 0)::text from {schema}.{table} as t where {counts}
