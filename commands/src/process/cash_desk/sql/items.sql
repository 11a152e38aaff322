select order_id, number, region, amount::text as amount, rider_id, collected_at, due_at, is_expected
from process_cash_item
where log_id = $1 and partner_id = $2 and store_id = $3 and day = $4 and due_at <= $5
order by order_id
limit $6
