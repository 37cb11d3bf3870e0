-- Version 67. Days that were matched before it was kept whether their bill was read whole (version 65): they were where nothing was found
-- of the bill itself, as the rule was until then, and the day's books agree.

update bill_parts set whole = 1
 where state = 'equal' and looked_by is null
   and not exists (select 1 from money_exceptions e
                    where e.kind = 'bill_difference' and e.day = bill_parts.day
                      and (e.difference in ('unreadable', 'funds', 'no_bill')
                           or e.difference = 'refund_missing_here' and e.transaction_id = ''));
