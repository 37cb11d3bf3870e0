-- A million orders: what is searched for has an index, and what is counted is kept.

-- ── the words that orders are found by ──

-- Every character stands alone, so that a phrase of one or two Chinese characters is found; phones stand whole and by
-- their last four digits. Row ids are those of the orders. Kept by orders/search.
create virtual table order_words using fts5 (
  receiver, phone, place, goods, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);
insert into order_words (rowid, receiver, phone, place, goods)
  with plain (id, receiver, phone, place, goods) as materialized (
    select o.id, coalesce(o.address ->> 'receiver', ''), coalesce(o.address ->> 'phone', ''),
           coalesce((o.address ->> 'province') || (o.address ->> 'city') || (o.address ->> 'district'), ''),
           (select group_concat(l.name, char(10)) from order_lines l where l.order_id = o.id)
      from orders o
  )
  select id,
         (with recursive c (i, t) as (select 0, '' union all
            select i + 1, t || substr(receiver, i + 1, 1) || ' ' from c where i < length(receiver))
          select t from c order by i desc limit 1),
         phone || ' ' || substr(phone, -4),
         (with recursive c (i, t) as (select 0, '' union all
            select i + 1, t || substr(place, i + 1, 1) || ' ' from c where i < length(place))
          select t from c order by i desc limit 1),
         (with recursive c (i, t) as (select 0, '' union all
            select i + 1, t || substr(goods, i + 1, 1) || ' ' from c where i < length(goods))
          select t from c order by i desc limit 1)
    from plain;

create index orders_waiting on orders (coalesce(paid_at, created_at)) where status = 'to_ship';
-- Without it the nightly check of parcels against lines took the square of their number.
create index shipment_lines_line on shipment_lines (line_id);
create index refunds_open on refunds (order_id) where ended_at is null;
create index messages_transaction on messages (transaction_id) where transaction_id is not null;
create index messages_verdict_at on messages (verdict, at);
drop index messages_verdict;
create index messages_verdict on messages (verdict, id) where verdict <> 'ok';

-- ── how far the orders of each day came ──

create table order_days (
  day    text primary key check (length(day) = 8),
  placed integer not null default 0,
  -- With a payment that was begun.
  asked  integer not null default 0,
  paid   integer not null default 0
) strict, without rowid;
insert into order_days (day, placed, asked, paid)
  select strftime('%Y%m%d', created_at / 1000 + 8 * 3600, 'unixepoch'), count(*),
         sum(exists (select 1 from attempts a where a.order_id = o.id)), sum(paid_at is not null)
    from orders o group by 1;
create trigger orders_day after insert on orders begin
  insert into order_days (day, placed) values (strftime('%Y%m%d', new.created_at / 1000 + 8 * 3600, 'unixepoch'), 1)
    on conflict (day) do update set placed = placed + 1;
end;
create trigger attempts_day after insert on attempts when new.n = 1 begin
  update order_days set asked = asked + 1
   where day = (select strftime('%Y%m%d', created_at / 1000 + 8 * 3600, 'unixepoch') from orders where id = new.order_id);
end;
create trigger orders_paid_day after update of paid_at on orders when old.paid_at is null and new.paid_at is not null begin
  update order_days set paid = paid + 1
   where day = strftime('%Y%m%d', new.created_at / 1000 + 8 * 3600, 'unixepoch');
end;

-- The days that the last migration filled in were written in another form than the program's own.
insert into sold_days (day, sku_id, pieces)
  select replace(day, '-', ''), sku_id, pieces from sold_days where day like '%-%'
  on conflict (day, sku_id) do update set pieces = pieces + excluded.pieces;
delete from sold_days where day like '%-%';
