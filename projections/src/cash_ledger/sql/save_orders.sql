insert into cash_order (
    order_id, number, store_id, region, partner_id, status, receivable, rider,
    since, booked_at, delivered_at, collected_at, failed_at, discrepancy, version, position, cash
)
select
    t.order_id, t.number, t.store_id, t.region, t.partner_id, t.status, t.receivable::numeric, t.rider::numeric,
    t.since, t.booked_at, t.delivered_at, t.collected_at, t.failed_at, t.discrepancy::numeric,
    t.version, t.position, t.cash::json
from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
    $14::text[], $15::bigint[], $16::bigint[], $17::text[]
) as t (
    order_id, number, store_id, region, partner_id, status, receivable, rider,
    since, booked_at, delivered_at, collected_at, failed_at, discrepancy, version, position, cash
)
on conflict (order_id) do update set
    partner_id   = excluded.partner_id,
    status       = excluded.status,
    receivable   = excluded.receivable,
    rider        = excluded.rider,
    since        = excluded.since,
    booked_at    = excluded.booked_at,
    delivered_at = excluded.delivered_at,
    collected_at = excluded.collected_at,
    failed_at    = excluded.failed_at,
    discrepancy  = excluded.discrepancy,
    version      = excluded.version,
    position     = excluded.position,
    cash         = excluded.cash
