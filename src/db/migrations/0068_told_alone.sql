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

-- What a bill told of and nobody has looked into since holds its payment's order: of those that version 66 carried over, nobody had
-- opened that.
insert into money_exceptions (kind, subject, state, order_id, attempt_id, transaction_id, amount_fen, what, opened_at)
  select 'amount_mismatch', p.wechat_id || ' gone back', 'open', coalesce(k.order_id, p.order_id), p.attempt_id, p.wechat_id,
         p.amount_fen, '微信账单里有这笔款的退款，可是向微信还没有查实：请到商户平台核对这笔款的退款，再发货', max(b.told_at)
    from (select refund_id, transaction_id,
                 -- What a notice told of was not new in the bill.
                 coalesce((select min(m.at) from messages m
                            where m.transaction_id = o.transaction_id and m.kind = 'refund_notify' and m.verdict <> 'refused'
                              and m.out_refund_no = o.out_refund_no), told_at) as told_at
            from billed_refunds o) b
    join ledger p on p.kind = 'payment' and p.wechat_id = b.transaction_id
    left join ledger k on k.kind = 'link' and k.wechat_id = p.wechat_id
   where not exists (select 1 from refunds r where r.refund_id = b.refund_id)
   group by p.id
      on conflict (kind, subject) do update
     set state = 'open', looked_at = coalesce(resolved_at, looked_at), resolved_at = null, resolution = null, what = excluded.what,
         order_id = excluded.order_id, opened_at = excluded.opened_at
   where state = 'resolved' and resolved_at <= excluded.opened_at;
