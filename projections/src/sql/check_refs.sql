select order_id, system, reference
from order_ref
where order_id = any($1)
