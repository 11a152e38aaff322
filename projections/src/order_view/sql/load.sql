select order_id, version, position, doc, placed_at, updated_at
from order_view
where order_id = any($1)
