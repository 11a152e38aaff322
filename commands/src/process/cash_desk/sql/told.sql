-- An amount that was corrected meanwhile stays due.
update process_cash_item as i
set due_at = null, is_expected = true
from unnest($2::uuid[], $3::text[]) as t (order_id, amount)
where i.log_id = $1 and i.order_id = t.order_id and i.amount = t.amount::numeric
