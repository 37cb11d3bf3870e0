-- A day's match has a part for each merchant number whose bill was fetched, or asked for: the day is settled when each number
-- with money on it is. The rows of a day's nth bill have the lines from n * 10000000 on.
create table bill_parts (
  day                text not null check (length(day) = 8),
  mch_id             text not null,
  n                  integer not null,
  state              text not null check (state in ('waiting', 'equal', 'differs', 'empty', 'failed')),
  other_payments     integer not null default 0,
  other_received_fen integer not null default 0,
  other_refunds      integer not null default 0,
  other_refunded_fen integer not null default 0,
  problem            text not null default '',
  -- Who looked at it in WeChat's console, where its bill could not be fetched any more.
  looked_by          text,
  checked_at         integer not null,
  primary key (day, mch_id),
  unique (day, n)
) strict;
-- Whose a bill of before is: the only number's; else its rows tell, and where it has none, what was set when it was fetched.
insert into bill_parts (day, mch_id, n, state, other_payments, other_received_fen, other_refunds, other_refunded_fen,
                        problem, checked_at)
  select * from (
    select b.day,
           case (select count(*) from merchant_numbers) when 1 then (select mch_id from merchant_numbers) else coalesce(
             (select a.mch_id
                from bill_rows r
                join ledger l on l.kind = 'payment' and l.wechat_id = r.transaction_id
                join attempts a on a.id = l.attempt_id
               where r.day = b.day limit 1),
             (select m.mch_id from merchant_numbers m where m.since <= b.checked_at order by m.since desc limit 1)) end as mch_id,
           0, b.state, b.other_payments, b.other_received_fen, b.other_refunds, b.other_refunded_fen, b.problem, b.checked_at
      from bills b where b.state in ('equal', 'differs', 'empty'))
   where mch_id is not null;
