-- Sums that the first page would else read from every order of a day.

-- What was paid in each hour, counted from 1970; a business day begins with an hour.
create table money_hours (
  hour         integer primary key,
  received_fen integer not null
) strict;
insert into money_hours (hour, received_fen)
  select moved_at / 3600000, sum(amount_fen) from ledger where kind = 'payment' group by 1;
create trigger ledger_hour after insert on ledger when new.kind = 'payment' begin
  insert into money_hours (hour, received_fen) values (new.moved_at / 3600000, new.amount_fen)
    on conflict (hour) do update set received_fen = received_fen + excluded.received_fen;
end;

-- How often something happened in an hour that its margin is reckoned from: whoever has reckoned it since need not again.
create table margin_hours (
  hour  integer primary key,
  moves integer not null default 1
) strict;
insert into margin_hours (hour)
  select paid_at / 3600000 from orders where paid_at is not null
  union
  select at / 3600000 from stock_moves where reason = 'release' or reason = 'return'
  union
  select sent_at / 3600000 from resends
  union
  select ended_at / 3600000 from refunds where state = 'succeeded';
create trigger orders_margin after update of paid_at on orders when new.paid_at is not old.paid_at begin
  insert into margin_hours (hour) select hour from (select new.paid_at / 3600000 as hour union select old.paid_at / 3600000)
                                   where hour is not null
    on conflict (hour) do update set moves = moves + 1;
end;
create trigger stock_moves_margin after insert on stock_moves when new.reason = 'release' or new.reason = 'return' begin
  insert into margin_hours (hour) values (new.at / 3600000) on conflict (hour) do update set moves = moves + 1;
end;
create trigger resend_lines_margin after insert on resend_lines begin
  insert into margin_hours (hour) select sent_at / 3600000 from resends where id = new.resend_id
    on conflict (hour) do update set moves = moves + 1;
end;
create trigger refunds_margin after update of state, inside on refunds when new.state = 'succeeded' begin
  insert into margin_hours (hour) values (new.ended_at / 3600000) on conflict (hour) do update set moves = moves + 1;
end;

-- What orders keep of payments that WeChat settles later: one row.
create table frozen (
  id  integer primary key check (id = 1),
  fen integer not null
) strict;
insert into frozen (id, fen)
  select 1, coalesce(sum(o.paid_fen - o.refunded_fen), 0)
    from settlements s
    cross join ledger l on l.kind = 'payment' and l.wechat_id = s.transaction_id
    cross join orders o on o.id = l.order_id
   where s.settled_at is null and s.estimated_at is not null;
create trigger settlements_frozen after insert on settlements
  when new.settled_at is null and new.estimated_at is not null begin
  update frozen set fen = fen + coalesce((select o.paid_fen - o.refunded_fen from ledger l join orders o on o.id = l.order_id
                                           where l.kind = 'payment' and l.wechat_id = new.transaction_id), 0);
end;
create trigger settlements_refrozen after update on settlements
  when (new.settled_at is null and new.estimated_at is not null) <> (old.settled_at is null and old.estimated_at is not null) begin
  update frozen set fen = fen + iif(new.settled_at is null and new.estimated_at is not null, 1, -1)
                          * coalesce((select o.paid_fen - o.refunded_fen from ledger l join orders o on o.id = l.order_id
                                       where l.kind = 'payment' and l.wechat_id = new.transaction_id), 0);
end;
-- A payment that was learnt of after its settlement, and an order that gives back or gets more meanwhile.
create trigger ledger_frozen after insert on ledger when new.kind = 'payment' and new.order_id is not null begin
  update frozen set fen = fen + coalesce((select o.paid_fen - o.refunded_fen from settlements s join orders o on o.id = new.order_id
                                           where s.transaction_id = new.wechat_id
                                             and s.settled_at is null and s.estimated_at is not null), 0);
end;
create trigger orders_frozen after update of paid_fen, refunded_fen on orders
  when new.paid_fen - new.refunded_fen <> old.paid_fen - old.refunded_fen begin
  update frozen set fen = fen + (new.paid_fen - new.refunded_fen - old.paid_fen + old.refunded_fen)
                          * (select count(*) from ledger l join settlements s on s.transaction_id = l.wechat_id
                              where l.order_id = new.id and l.kind = 'payment'
                                and s.settled_at is null and s.estimated_at is not null);
end;
