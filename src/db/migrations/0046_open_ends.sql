-- What must be found at each start and by night, and is hardly ever there: without these, by looking at everything.

create index attempts_closing on attempts (id) where state = 'closing';
-- On the columns that are compared: SQLite else takes the index of the status, with all closed orders.
create index orders_closed_holding on orders (status, holds_stock) where status = 'closed' and holds_stock = 1;
