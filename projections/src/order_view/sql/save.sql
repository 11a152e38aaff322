insert into order_view (
    order_id, number, store_id, region, channel, customer_id,
    status, min_line_status, max_line_status, payment_status, order_total, cash_due,
    collection_status, partner_id, is_stuck, is_overdue, bundles,
    placed_at, updated_at, version, position, doc
)
select
    t.order_id, t.number, t.store_id, t.region, t.channel, t.customer_id,
    t.status, t.min_line_status, t.max_line_status, t.payment_status,
    t.order_total::numeric, t.cash_due::numeric,
    t.collection_status, t.partner_id, t.is_stuck, t.is_overdue, t.bundles,
    t.placed_at, t.updated_at, t.version, t.position, t.doc::json
from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::smallint[], $8::smallint[], $9::smallint[], $10::smallint[], $11::text[], $12::text[],
    $13::text[], $14::text[], $15::boolean[], $16::boolean[], $17::smallint[],
    $18::timestamptz[], $19::timestamptz[], $20::bigint[], $21::bigint[], $22::text[]
) as t (
    order_id, number, store_id, region, channel, customer_id,
    status, min_line_status, max_line_status, payment_status, order_total, cash_due,
    collection_status, partner_id, is_stuck, is_overdue, bundles,
    placed_at, updated_at, version, position, doc
)
on conflict (order_id) do update set
    number            = excluded.number,
    store_id          = excluded.store_id,
    region            = excluded.region,
    channel           = excluded.channel,
    customer_id       = excluded.customer_id,
    status            = excluded.status,
    min_line_status   = excluded.min_line_status,
    max_line_status   = excluded.max_line_status,
    payment_status    = excluded.payment_status,
    order_total       = excluded.order_total,
    cash_due          = excluded.cash_due,
    collection_status = excluded.collection_status,
    partner_id        = excluded.partner_id,
    is_stuck          = excluded.is_stuck,
    is_overdue        = excluded.is_overdue,
    bundles           = excluded.bundles,
    placed_at         = excluded.placed_at,
    updated_at        = excluded.updated_at,
    version           = excluded.version,
    position          = excluded.position,
    doc               = excluded.doc
