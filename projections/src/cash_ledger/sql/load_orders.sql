select order_id, number, store_id, region, partner_id, status,
       receivable::text as receivable, rider::text as rider,
       since, booked_at, delivered_at, collected_at, failed_at,
       discrepancy::text as discrepancy, version, position, cash
from cash_order
where order_id = any($1)
