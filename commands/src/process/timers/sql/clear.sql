delete from process_timer as t
using unnest($2::uuid[], $3::text[], $4::text[]) as c (order_id, kind, detail)
where t.log_id = $1
    and t.order_id = c.order_id
    and (c.kind is null or t.kind = c.kind)
    and (c.detail is null or t.detail = c.detail)
