-- Version 5: local delivery, a recycle bin for products, goods to try the shop out with, and what each person chose.

-- A CHECK cannot be altered, and making `orders` anew would take minutes in a large shop. What is on the disk stays as
-- it is: only the sentence that says which words are allowed is another.
pragma writable_schema = on;
update sqlite_schema
   set sql = replace(sql, 'delivery in (''express'', ''pickup'', ''none'')',
                          'delivery in (''express'', ''local'', ''pickup'', ''none'')')
 where type = 'table' and name in ('skus', 'orders');
pragma writable_schema = reset;

-- In the recycle bin since then. Orders and stock moves point at it, so it is never deleted.
alter table products add column deleted_at integer;
-- Made up, to look at the shop with; all of them go at once.
alter table products add column sample integer not null default 0 check (sample in (0, 1));
drop index products_name;
create unique index products_name on products (name) where deleted_at is null;

-- Rows on a page of lists, and whether orders are listed in a table rather than as cards.
alter table staff add column page_size integer not null default 20 check (page_size in (20, 50, 100));
alter table staff add column order_table integer not null default 0 check (order_table in (0, 1));
