update process_cash_item
set day = case when is_expected then day else $6 end,
    due_at = case when is_expected then null else $7 end
where log_id = $1 and partner_id = $2 and store_id = $3 and day = $4 and due_at <= $5
