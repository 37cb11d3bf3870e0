-- Version 63. Refunds that a day's bill names and that nobody here knows of: told like those of a notice, and kept when the bill's rows
-- are read anew.

create table billed_refunds (
  refund_id      text primary key,
  -- The bill's number where it can be one of ours, else one of WeChat's own.
  out_refund_no  text not null,
  transaction_id text not null,
  -- When a bill first named it.
  told_at        integer not null
) strict, without rowid;
create index billed_refunds_transaction on billed_refunds (transaction_id);

-- The number under which WeChat knows a refund that has another one here.
alter table refunds add column asked_as text;

-- When somebody last looked into one that is open again: what was told before is answered.
alter table money_exceptions add column looked_at integer;
