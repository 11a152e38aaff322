select position, line, event_type, account, amount::text as amount, order_id, remittance_id,
       store_id, region, partner_id, recorded_at
from cash_posting
