update cash_balance as b
set balance = b.balance + t.amount::numeric
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    as t (store_id, region, account, partner_id, amount)
where b.store_id = t.store_id and b.region = t.region and b.account = t.account and b.partner_id = t.partner_id
