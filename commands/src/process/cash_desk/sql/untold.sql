select exists (
    select from process_cash_item
    where log_id = $1 and partner_id = $2 and store_id = $3 and day = $4 and due_at is not null
)
