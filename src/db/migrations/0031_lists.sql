-- Version 31. Lists that stand in another order than by age, tables whose columns somebody chose, and what a SKU's form
-- knows besides.

alter table skus add column barcode text check (barcode <> '');

-- Beside the id, which every index ends with, so that a page begins wherever the last one ended.
create index orders_total on orders (total_fen);
create index products_price on products (price_fen);
create index products_sold on products (sold_count);

-- Words with a blank between; null shows the usual ones.
alter table staff add column order_columns text;
alter table staff add column product_columns text;
