-- One row at least: the position that the balances hold at comes from the same snapshot. A store that has moved has
-- cells of each region that it lay in; all of them are where it lies now.
select c.position, b.store_id, b.region, b.account, nullif(b.partner_id, '') as partner_id, b.balance::text as balance
from (
    select coalesce(max(position), 0) as position from projection_checkpoint where log_id = $1 and name = $2
) as c
left join (
    select b.store_id, coalesce(s.region, b.region) as region, b.account, b.partner_id, b.balance
    from cash_balance as b left join cash_store as s using (store_id)
) as b
    on b.balance <> 0
    and ($3::text[] is null or b.store_id = any($3))
    and ($4::text is null or b.region = $4)
    and ($5::text is null or b.partner_id = $5)
    and ($6::text is null or b.account = $6)
order by b.store_id, b.region, b.account, b.partner_id
limit $7
