select order_id, number, store_id, region, channel, customer_id,
       status, min_line_status, max_line_status, payment_status,
       order_total::text as order_total, cash_due::text as cash_due,
       collection_status, partner_id, is_stuck, is_overdue, bundles
from order_view
where order_id = any($1)
