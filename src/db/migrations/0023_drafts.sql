-- Draft orders (代客下单): written down by staff after a chat, the order of whoever opens one first.
create table drafts (
  id           integer primary key,
  code         text not null unique,
  -- Triples of SKU, quantity, and the price in fen that was agreed on.
  lines        text not null check (json_valid(lines)),
  freight_fen  integer not null check (freight_fen >= 0),
  total_fen    integer not null check (total_fen >= 1),
  delivery     text not null check (delivery = 'express' or delivery = 'local' or delivery = 'pickup' or delivery = 'none'),
  -- None where the buyer is to say it.
  address      text check (json_valid(address)),
  remark       text not null default '',
  staff_id     integer not null references staff (id),
  created_at   integer not null,
  expires_at   integer not null check (expires_at > created_at),
  withdrawn_at integer,
  order_id     integer unique references orders (id),
  check (withdrawn_at is null or order_id is null)
) strict;
