select concat_ws('/', store_id, region, account, partner_id),
       coalesce(b.balance, 0)::text, coalesce(p.balance, 0)::text
from cash_balance as b
full join (
    select store_id, region, account, coalesce(partner_id, '') as partner_id, sum(amount) as balance
    from cash_posting
    group by 1, 2, 3, 4
) as p using (store_id, region, account, partner_id)
where coalesce(b.balance, 0) <> coalesce(p.balance, 0)
