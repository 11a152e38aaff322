insert into process_cash_item (
    log_id, order_id, number, partner_id, store_id, region, day, amount, rider_id, collected_at, due_at, is_expected
)
select $1, t.order_id, t.number, t.partner_id, t.store_id, t.region, t.day, t.amount::numeric, t.rider_id,
    t.collected_at, t.due_at, false
from unnest(
    $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[]
) as t (order_id, number, partner_id, store_id, region, day, amount, rider_id, collected_at, due_at)
on conflict (log_id, order_id) do nothing
