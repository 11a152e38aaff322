select order_id, version, position, event_id, event_type, status_from, status_to
from order_history
where order_id = any($1)
order by order_id, version
