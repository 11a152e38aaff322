insert into cash_posting (
    log_id, position, line, event_type, account, amount, order_id, remittance_id,
    store_id, region, partner_id, recorded_at
)
select
    $1, t.position, t.line, t.event_type, t.account, t.amount::numeric, t.order_id, t.remittance_id,
    t.store_id, t.region, t.partner_id, t.recorded_at
from unnest(
    $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::timestamptz[]
) as t (
    position, line, event_type, account, amount, order_id, remittance_id,
    store_id, region, partner_id, recorded_at
)
