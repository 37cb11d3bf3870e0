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
-- What bills of before named, of payments that somebody was to look at: told when he was.
insert into billed_refunds (refund_id, out_refund_no, transaction_id, told_at)
  select b.refund_id, coalesce(nullif(b.out_refund_no, ''), 'WX-' || b.refund_id), b.transaction_id, e.opened_at
    from bill_rows b join money_exceptions e on e.kind = 'amount_mismatch' and e.subject = b.transaction_id || ' gone back'
   where b.kind = 'refund' and not exists (select 1 from refunds r where r.refund_id = b.refund_id)
      on conflict do nothing;

-- The number under which WeChat knows a refund that has another one here.
alter table refunds add column asked_as text;
-- Those with a number that was too short for one of ours: as a bill has it, or the only notice that can mean it.
update refunds set asked_as = (select max(b.out_refund_no) from bill_rows b
                                where b.refund_id = refunds.refund_id and b.out_refund_no <> '')
  where out_refund_no like 'WX-%';
update refunds set asked_as = (select max(m.out_refund_no) from messages m
                                where m.kind = 'refund_notify' and m.transaction_id = refunds.transaction_id
                                  and length(m.out_refund_no) < 6)
  where out_refund_no like 'WX-%' and asked_as is null
    and 1 = (select count(distinct m.out_refund_no) from messages m
              where m.kind = 'refund_notify' and m.transaction_id = refunds.transaction_id and length(m.out_refund_no) < 6)
    and 1 = (select count(*) from refunds o where o.transaction_id = refunds.transaction_id and o.out_refund_no like 'WX-%');

-- When somebody last looked into one that is open again: what was told before is answered.
alter table money_exceptions add column looked_at integer;
