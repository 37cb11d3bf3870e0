-- Version 17. Customers: who bought, their sums kept, and what staff know about them.

alter table buyers add column note text not null default '';
-- May not order since then.
alter table buyers add column blocked_at integer;
-- Everything personal was taken out then, as the buyer asked.
alter table buyers add column erased_at integer;
create index buyers_noted on buyers (id) where note <> '';
create index buyers_blocked on buyers (id) where blocked_at is not null;
create index buyers_nickname on buyers (nickname) where nickname <> '';

create table buyer_tags (
  tag      text not null check (length(tag) between 1 and 12),
  buyer_id integer not null references buyers (id),
  primary key (tag, buyer_id)
) strict, without rowid;
create index buyer_tags_buyer on buyer_tags (buyer_id);

-- The paid orders of each buyer, and what is left of their money; the orders' own trigger keeps them, so that a page of
-- customers never has to sum up the past.
create table customers (
  buyer_id      integer primary key references buyers (id),
  orders        integer not null check (orders >= 0),
  spent_fen     integer not null,
  last_order_id integer not null references orders (id)
) strict;
insert into customers (buyer_id, orders, spent_fen, last_order_id)
  select buyer_id, count(*), sum(paid_fen - refunded_fen), max(id) from orders where paid_fen > 0 group by buyer_id;
create index customers_orders on customers (orders);
create index customers_spent on customers (spent_fen);
create index customers_last on customers (last_order_id);
create trigger orders_customer after update of paid_fen, refunded_fen on orders
  when new.paid_fen <> old.paid_fen or new.refunded_fen <> old.refunded_fen begin
  insert into customers (buyer_id, orders, spent_fen, last_order_id)
    values (new.buyer_id, new.paid_fen > 0, new.paid_fen - new.refunded_fen, new.id)
    on conflict (buyer_id) do update
       set orders = orders + (new.paid_fen > 0) - (old.paid_fen > 0),
           spent_fen = spent_fen + new.paid_fen - new.refunded_fen - old.paid_fen + old.refunded_fen,
           last_order_id = max(last_order_id, new.id);
end;

-- What moved stays as it is; only who paid may be forgotten, when he asks for it.
drop trigger ledger_no_update;
create trigger ledger_no_update before update on ledger
  when new.payer is not null or new.id <> old.id or new.kind <> old.kind or new.wechat_id <> old.wechat_id
    or new.order_id is not old.order_id or new.attempt_id is not old.attempt_id or new.amount_fen <> old.amount_fen
    or new.at <> old.at or new.moved_at <> old.moved_at or new.day <> old.day begin
  select raise(abort, 'the ledger is append-only');
end;
