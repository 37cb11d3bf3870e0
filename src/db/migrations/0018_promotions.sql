-- What makes an order cheaper: promotions of the shop, and the coupons of them that buyers hold.

create table promotions (
  id         integer primary key,
  kind       text not null check (kind = 'reduce' or kind = 'percent' or kind = 'freight'),
  -- To everybody without asking, or as a coupon.
  given      text not null check (given = 'everybody' or given = 'link' or given = 'first_order' or given = 'chosen'),
  name       text not null check (length(name) between 1 and 20),
  -- Pairs of fen, the lowest first: from this sum of goods on, so much off.
  tiers      text not null check (json_valid(tiers)),
  -- What is left to be paid, of a hundred; and what is taken off at the most.
  percent    integer check (percent between 1 and 99),
  cap_fen    integer check (cap_fen > 0),
  scope      text not null check (scope = 'all' or scope = 'categories' or scope = 'products'),
  starts_at  integer not null,
  ends_at    integer check (ends_at > starts_at),
  -- A coupon is good for so many days after it was given.
  days       integer check (days between 1 and 365),
  -- By which it is fetched; a link is the mini-program's page with the code.
  code       text unique,
  -- Shown to everybody who may fetch it.
  listed     integer not null default 0 check (listed in (0, 1)),
  -- How many coupons there may be, and how many one buyer may have.
  total      integer check (total > 0),
  per_buyer  integer not null default 1 check (per_buyer > 0),
  issued     integer not null default 0 check (issued >= 0 and (total is null or issued <= total)),
  stopped_at integer,
  -- Coupons that were given are no longer good either.
  voided     integer not null default 0 check (voided in (0, 1)),
  created_at integer not null,
  check ((kind = 'percent') = (percent is not null)),
  check (cap_fen is null or kind = 'percent'),
  check ((given = 'link') = (code is not null)),
  check (voided = 0 or stopped_at is not null)
) strict;
create index promotions_running on promotions (given, id) where stopped_at is null;

-- Categories or products, as the promotion's scope says.
create table promotion_scope (
  promotion_id integer not null references promotions (id),
  subject      integer not null,
  primary key (promotion_id, subject)
) strict, without rowid;

create table coupons (
  id           integer primary key,
  promotion_id integer not null references promotions (id),
  buyer_id     integer not null references buyers (id),
  given_at     integer not null,
  ends_at      integer,
  -- The order that has it; it comes back with the order's stock.
  order_id     integer unique references orders (id)
) strict;
create index coupons_buyer on coupons (buyer_id, id);
create index coupons_promotion on coupons (promotion_id, buyer_id);

-- Why an order is cheaper, in the order in which it was reckoned, as the buyer was told.
create table order_discounts (
  order_id     integer not null references orders (id),
  n            integer not null,
  promotion_id integer not null references promotions (id),
  coupon_id    integer references coupons (id),
  name         text not null,
  words        text not null,
  -- Off the goods, and off the freight: that part is not in the order's freight.
  goods_fen    integer not null check (goods_fen >= 0),
  freight_fen  integer not null check (freight_fen >= 0),
  primary key (order_id, n)
) strict, without rowid;
create index order_discounts_promotion on order_discounts (promotion_id, order_id);

-- A line's part of them, to the fen. What staff agree on later (改价) is not in here.
alter table order_lines add column discount_fen integer not null default 0
  check (discount_fen between 0 and price_fen * quantity);

-- An order may cost nothing, where the merchant allows it. What is on the disk stays as it is.
pragma writable_schema = on;
update sqlite_schema set sql = replace(sql, 'total_fen >= 1 and', 'total_fen >= 0 and')
 where type = 'table' and name = 'orders';
pragma writable_schema = reset;
