update cash_day as d
set delivered       = d.delivered + t.delivered,
    collected       = d.collected + t.collected,
    in_time         = d.in_time + t.in_time,
    failed          = d.failed + t.failed,
    discrepancies   = d.discrepancies + t.discrepancies,
    discrepancy_sum = d.discrepancy_sum + t.discrepancy_sum::numeric
from unnest(
    $1::date[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::text[]
) as t (day, store_id, region, delivered, collected, in_time, failed, discrepancies, discrepancy_sum)
where d.day = t.day and d.store_id = t.store_id and d.region = t.region
