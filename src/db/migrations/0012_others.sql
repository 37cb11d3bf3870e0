-- A merchant number is often shared: what a day's bill has for other apps and tills, beside the match.
alter table bills add column other_payments integer not null default 0;
alter table bills add column other_received_fen integer not null default 0;
alter table bills add column other_refunds integer not null default 0;
alter table bills add column other_refunded_fen integer not null default 0;

-- The few rows by which a bill's own rows are known when their number does not tell.
create index ledger_of_no_attempt on ledger (wechat_id) where kind = 'payment' and attempt_id is null;
create index attempts_plain on attempts (out_trade_no) where out_trade_no not glob '*[^0-9]*';
