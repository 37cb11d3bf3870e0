-- Version 45. How many of his orders a buyer has not paid is asked before each new one, in the writer: not by going
-- through all that he ever ordered.

create index orders_unpaid on orders (buyer_id) where status = 'pending_payment';
