-- An item that was told is due again, at once: its day is over.
update process_cash_item as i
set amount = c.amount::numeric, due_at = coalesce(i.due_at, i.collected_at)
from unnest($2::uuid[], $3::text[]) as c (order_id, amount)
where i.log_id = $1 and i.order_id = c.order_id
