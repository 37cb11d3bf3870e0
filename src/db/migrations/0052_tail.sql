-- An order is looked for by the last four characters of its number, as people say them.
drop index orders_tail;
create index orders_tail on orders (substr(order_no, -4));
