select day, store_id, region, delivered, collected, in_time, failed, discrepancies,
       discrepancy_sum::text as discrepancy_sum
from cash_day
