select order_id, store_id, region, status, lines
from store_board_order
where order_id = any($1)
