-- Version 8. How many pieces of a product one buyer may have, over all orders that still stand.
alter table products add column limit_per_buyer integer check (limit_per_buyer > 0);

-- Who paid, which need not be who bought: WeChat's register asks for him. Not known of what came before.
alter table ledger add column payer text;

-- What WeChat's register was told of how an order left: once, and once more when it was corrected.
create table registered (
  order_id integer primary key references orders (id),
  at       integer not null,
  times    integer not null check (times between 1 and 2),
  content  text not null
) strict;
