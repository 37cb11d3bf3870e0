-- Version 66. Refunds that bills named before those were kept (version 63), of payments that nobody was to look at for it: told when the
-- difference of that day was opened, as long as nobody has settled it.

insert into billed_refunds (refund_id, out_refund_no, transaction_id, told_at)
  select b.refund_id,
         case when b.out_refund_no = '' or length(b.out_refund_no) > 64 or b.out_refund_no glob '*[^-0-9A-Za-z_|*@]*'
              then 'WX-' || b.refund_id else b.out_refund_no end,
         b.transaction_id, min(e.opened_at)
    from bill_rows b join money_exceptions e on e.kind = 'bill_difference' and e.difference = 'refund_missing_here'
                      and e.state = 'open' and e.day = b.day and e.transaction_id = b.transaction_id
   where b.kind = 'refund' and not exists (select 1 from refunds r where r.refund_id = b.refund_id)
   group by b.refund_id
      on conflict do nothing;
