-- Version 68. Payments beside orders of which only somebody with the key of API v2 has told: in a shop by API v3 WeChat is asked for them
-- before they pay an order or go back.

create table told_alone (
  transaction_id text primary key
) strict, without rowid;
-- Those of before, unless API v3 told of them or WeChat was asked: its answer has a sum, or names the merchant number.
insert into told_alone (transaction_id)
  select p.wechat_id from ledger p left join strays s on s.transaction_id = p.wechat_id
   where p.kind = 'payment' and p.order_id is null and s.api is not 'v3'
     and not exists (select 1 from ledger k where k.kind = 'link' and k.wechat_id = p.wechat_id)
     and not exists (select 1 from messages m
                      where m.transaction_id = p.wechat_id and m.kind = 'orderquery' and m.amount_fen = p.amount_fen);
