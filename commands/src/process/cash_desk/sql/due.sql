select partner_id, store_id, day, min(region) as region, bool_or(is_reported) as is_reported
from (
    select partner_id, store_id, day, region, false as is_reported
    from process_cash_item
    where log_id = $1 and due_at <= $2
    union all
    select partner_id, store_id, day, region, true
    from process_report
    where log_id = $1 and due_at <= $2
) as d
group by partner_id, store_id, day
order by day, partner_id, store_id
limit $3
