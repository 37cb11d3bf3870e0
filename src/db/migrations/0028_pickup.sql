-- What belongs to an order whose goods somebody comes to fetch.
create table pickups (
  order_id integer primary key references orders (id),
  -- Of whoever comes; empty where nobody said it.
  phone    text not null,
  -- Eight digits; one that was used stays its order's, so that it can always be said what became of it.
  code     text not null unique check (length(code) = 8 and code not glob '*[^0-9]*'),
  -- When the shop had everything ready.
  ready_at integer
) strict;
-- Orders that wait already get one too; two of a number would be a wonder, and the second goes on without.
insert or ignore into pickups (order_id, phone, code)
  select id, '', printf('%08d', abs(random() % 100000000)) from orders
   where delivery = 'pickup' and status in ('pending_payment', 'to_ship');
-- Codes that were tried at the desk and have not been right.
create table pickup_guesses (
  staff_id integer not null references staff (id),
  at       integer not null
) strict;
create index pickup_guesses_staff on pickup_guesses (staff_id, at);
