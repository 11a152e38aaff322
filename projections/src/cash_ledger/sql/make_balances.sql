insert into cash_balance (store_id, region, account, partner_id, balance)
select t.store_id, t.region, t.account, t.partner_id, 0
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as t (store_id, region, account, partner_id)
on conflict (store_id, region, account, partner_id) do nothing
