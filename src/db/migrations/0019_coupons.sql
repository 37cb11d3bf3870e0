-- What an order costs is not all settled: a coupon of WeChat Pay that the merchant bears (免充值) never arrives.
alter table ledger add column borne_fen integer not null default 0
  check (abs(borne_fen) <= abs(amount_fen) and (borne_fen = 0 or (borne_fen > 0) = (amount_fen > 0)));

-- Who stood in for a payment that coupons were part of: the buyer paid the rest.
create table payment_coupons (
  transaction_id text primary key,
  -- Paid for the buyer by somebody else, and settled.
  funded_fen     integer not null check (funded_fen >= 0),
  -- Borne by the merchant, and not settled.
  borne_fen      integer not null check (borne_fen >= 0),
  -- As far as WeChat lists them.
  each           text not null check (json_valid(each))
) strict;

alter table money_days add column received_borne_fen integer not null default 0;
alter table money_days add column refunded_borne_fen integer not null default 0;
drop trigger ledger_summed;
create trigger ledger_summed after insert on ledger begin
  insert into money_days (day) values (new.day) on conflict (day) do nothing;
  update money_days
     set payments = payments + (new.kind = 'payment'),
         received_fen = received_fen + iif(new.kind = 'payment', new.amount_fen, 0),
         received_borne_fen = received_borne_fen + iif(new.kind = 'payment', new.borne_fen, 0),
         refunds = refunds + (new.kind = 'refund'),
         refunded_fen = refunded_fen - iif(new.kind = 'refund', new.amount_fen, 0),
         refunded_borne_fen = refunded_borne_fen - iif(new.kind = 'refund', new.borne_fen, 0),
         fee_fen = fee_fen - iif(new.kind = 'fee', new.amount_fen, 0),
         offline_fen = offline_fen + iif(new.kind = 'offline', new.amount_fen, 0)
   where day = new.day;
end;

alter table bills add column received_borne_fen integer not null default 0;
alter table bills add column refunded_borne_fen integer not null default 0;
alter table bill_rows add column borne_fen integer not null default 0 check (borne_fen between 0 and amount_fen);
