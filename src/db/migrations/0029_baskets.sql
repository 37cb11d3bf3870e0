-- What buyers keep with the shop to come back for: a cart that every phone of theirs shows, and favourites. And orders
-- that they took off their own list.

create table cart_lines (
  buyer_id  integer not null references buyers (id),
  sku_id    integer not null references skus (id),
  quantity  integer not null check (quantity between 1 and 999),
  ticked    integer not null check (ticked in (0, 1)),
  -- What it cost when it was put in.
  added_fen integer not null check (added_fen >= 0),
  added_at  integer not null,
  primary key (buyer_id, sku_id)
) strict, without rowid;

create table favourites (
  buyer_id   integer not null references buyers (id),
  product_id integer not null references products (id),
  added_fen  integer not null check (added_fen >= 0),
  added_at   integer not null,
  primary key (buyer_id, product_id)
) strict, without rowid;
create index favourites_latest on favourites (buyer_id, added_at, product_id);

-- The buyer's list alone leaves it out, and only while nothing about it is open.
alter table orders add column hidden_at integer;
