-- Money that came beside every order is counted by day: it is no order, and in no average of them.
create index ledger_beside on ledger (day, wechat_id, amount_fen) where kind = 'payment' and order_id is null;
