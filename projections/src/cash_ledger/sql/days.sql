select day, store_id, region, delivered, collected, in_time, failed, discrepancies,
       discrepancy_sum::text as discrepancy_sum
from cash_day
where day between $1 and $2
  and ($3::text[] is null or store_id = any($3))
  and ($4::text is null or region = $4)
  and (delivered <> 0 or failed <> 0 or discrepancies <> 0)
order by day, store_id, region
limit $5
