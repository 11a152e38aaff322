delete from process_report as r
using unnest($2::text[], $3::text[], $4::date[]) as t (partner_id, store_id, day)
where r.log_id = $1 and r.partner_id = t.partner_id and r.store_id = t.store_id and r.day = t.day
