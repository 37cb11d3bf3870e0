-- A hundred thousand products: where each stands in a list is kept, and the text that it is found by has an index.

-- ── where products stand ──

-- Beside each product, what lists are narrowed and sorted by. Narrow, so that a sale changes few bytes. Kept by the
-- triggers below.
create table shelf (
  product_id  integer primary key references products (id),
  -- On sale only with a SKU that can be chosen.
  side        text not null check (side = 'on' or side = 'off' or side = 'bin'),
  category_id integer,
  price_fen   integer not null,
  sold_count  integer not null,
  -- Of its enabled SKUs: how many there are, what they have to sell, and the least that one of them has left.
  choices     integer not null default 0,
  available   integer not null default 0,
  least       integer,
  in_stock    integer not null default 0 check (in_stock = 0 or in_stock = 1)
) strict;
insert into shelf (product_id, side, category_id, price_fen, sold_count, choices, available, least, in_stock)
  select p.id, iif(p.deleted_at is not null, 'bin', iif(p.on_shelf = 1 and count(s.id) > 0, 'on', 'off')), p.category_id,
         p.price_fen, p.sold_count, count(s.id), coalesce(sum(s.on_hand - s.reserved), 0),
         min(s.on_hand - s.reserved) filter (where s.on_hand > s.reserved), coalesce(sum(s.on_hand - s.reserved), 0) > 0
    from products p left join skus s on s.product_id = p.id and s.enabled = 1
   group by p.id;
-- Behind what each is sorted by stand the id and what a list is narrowed by most, so that the index alone tells.
create index shelf_newest on shelf (side, product_id, category_id, in_stock);
create index shelf_price on shelf (side, price_fen, product_id, category_id, in_stock);
create index shelf_sold on shelf (side, sold_count, product_id, category_id, in_stock);
create index shelf_available on shelf (side, available, product_id, category_id);
create index shelf_category on shelf (category_id, side, in_stock);
create index shelf_low on shelf (side, least) where least is not null;
create index products_sample on products (id) where sample = 1;
drop index products_price;
drop index products_sold;

-- How many products stand where: of each category (0 is none), on each side.
create table shelf_counts (
  category_id integer not null,
  side        text not null,
  in_stock    integer not null,
  products    integer not null,
  primary key (category_id, side, in_stock)
) strict, without rowid;
insert into shelf_counts (category_id, side, in_stock, products)
  select coalesce(category_id, 0), side, in_stock, count(*) from shelf group by 1, 2, 3;
create trigger shelf_counted after insert on shelf begin
  insert into shelf_counts (category_id, side, in_stock, products)
    values (coalesce(new.category_id, 0), new.side, new.in_stock, 1)
    on conflict (category_id, side, in_stock) do update set products = products + 1;
end;
create trigger shelf_recounted after update of side, category_id, in_stock on shelf
  when new.side <> old.side or new.category_id is not old.category_id or new.in_stock <> old.in_stock begin
  update shelf_counts set products = products - 1
   where category_id = coalesce(old.category_id, 0) and side = old.side and in_stock = old.in_stock;
  insert into shelf_counts (category_id, side, in_stock, products)
    values (coalesce(new.category_id, 0), new.side, new.in_stock, 1)
    on conflict (category_id, side, in_stock) do update set products = products + 1;
end;

create trigger products_shelf after insert on products begin
  insert into shelf (product_id, side, category_id, price_fen, sold_count)
    values (new.id, iif(new.deleted_at is null, 'off', 'bin'), new.category_id, new.price_fen, new.sold_count);
end;
create trigger products_shelf_place after update of category_id, price_fen on products
  when new.category_id is not old.category_id or new.price_fen <> old.price_fen begin
  update shelf set category_id = new.category_id, price_fen = new.price_fen where product_id = new.id;
end;
create trigger products_shelf_sold after update of sold_count on products begin
  update shelf set sold_count = new.sold_count where product_id = new.id;
end;
create trigger products_shelf_side after update of on_shelf, deleted_at on products
  when new.on_shelf <> old.on_shelf or (new.deleted_at is null) <> (old.deleted_at is null) begin
  update shelf set side = iif(new.deleted_at is not null, 'bin', iif(new.on_shelf = 1 and choices > 0, 'on', 'off'))
   where product_id = new.id;
end;
create trigger skus_shelf after insert on skus when new.enabled = 1 begin
  update shelf
     set (choices, available, least) =
           (select count(*), coalesce(sum(on_hand - reserved), 0), min(on_hand - reserved) filter (where on_hand > reserved)
              from skus where product_id = new.product_id and enabled = 1)
   where product_id = new.product_id;
end;
create trigger skus_shelf_choices after update of enabled on skus when new.enabled <> old.enabled begin
  update shelf
     set (choices, available, least) =
           (select count(*), coalesce(sum(on_hand - reserved), 0), min(on_hand - reserved) filter (where on_hand > reserved)
              from skus where product_id = new.product_id and enabled = 1)
   where product_id = new.product_id;
end;
-- What a sale sets off: one row and its place by stock. The other indexes change when the last piece goes or the first comes.
create trigger skus_shelf_stock after update of on_hand, reserved on skus
  when new.enabled = 1 and new.on_hand - new.reserved <> old.on_hand - old.reserved begin
  update shelf
     set (available, least) =
           (select sum(on_hand - reserved), min(on_hand - reserved) filter (where on_hand > reserved)
              from skus where product_id = new.product_id and enabled = 1)
   where product_id = new.product_id;
end;
create trigger shelf_stock after update of available on shelf when new.in_stock <> (new.available > 0) begin
  update shelf set in_stock = new.available > 0 where product_id = new.product_id;
end;
create trigger shelf_side after update of choices on shelf when (new.choices > 0) <> (old.choices > 0) begin
  update shelf set side = (select iif(deleted_at is not null, 'bin', iif(on_shelf = 1 and new.choices > 0, 'on', 'off'))
                             from products where id = new.product_id)
   where product_id = new.product_id;
end;

-- ── the text that products are found by ──

-- Every three characters in a row; a line's last two stand with line ends behind them, so that a shorter word begins some.
-- Only letters of ASCII are alike whether large or small, as `like` has it. A view says what belongs to each row.
create view product_texts as
  select id, lower(name || char(10, 10) || subtitle || char(10, 10)) as text from products;
create virtual table product_words using fts5 (
  text, content = 'product_texts', content_rowid = 'id', detail = 'none', columnsize = 0, tokenize = 'trigram case_sensitive 1'
);
create virtual table product_grams using fts5vocab ('product_words', 'instance');
insert into product_words (product_words) values ('rebuild');
create trigger products_words after insert on products begin
  insert into product_words (rowid, text) values (new.id, lower(new.name || char(10, 10) || new.subtitle || char(10, 10)));
end;
create trigger products_reworded after update of name, subtitle on products
  when new.name <> old.name or new.subtitle <> old.subtitle begin
  insert into product_words (product_words, rowid, text)
    values ('delete', old.id, lower(old.name || char(10, 10) || old.subtitle || char(10, 10)));
  insert into product_words (rowid, text) values (new.id, lower(new.name || char(10, 10) || new.subtitle || char(10, 10)));
end;

create view sku_texts as
  select id, lower(coalesce(sku_code, '') || char(10, 10) || coalesce(barcode, '') || char(10, 10)) as text
    from skus where sku_code is not null or barcode is not null;
create virtual table sku_words using fts5 (
  text, content = 'sku_texts', content_rowid = 'id', detail = 'none', columnsize = 0, tokenize = 'trigram case_sensitive 1'
);
create virtual table sku_grams using fts5vocab ('sku_words', 'instance');
insert into sku_words (sku_words) values ('rebuild');
create trigger skus_words after insert on skus when new.sku_code is not null or new.barcode is not null begin
  insert into sku_words (rowid, text)
    values (new.id, lower(coalesce(new.sku_code, '') || char(10, 10) || coalesce(new.barcode, '') || char(10, 10)));
end;
create trigger skus_reworded after update of sku_code, barcode on skus
  when new.sku_code is not old.sku_code or new.barcode is not old.barcode begin
  insert into sku_words (sku_words, rowid, text)
    select 'delete', old.id, lower(coalesce(old.sku_code, '') || char(10, 10) || coalesce(old.barcode, '') || char(10, 10))
     where old.sku_code is not null or old.barcode is not null;
  insert into sku_words (rowid, text)
    select new.id, lower(coalesce(new.sku_code, '') || char(10, 10) || coalesce(new.barcode, '') || char(10, 10))
     where new.sku_code is not null or new.barcode is not null;
end;
