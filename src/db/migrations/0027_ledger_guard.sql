-- What the merchant bears of a payment stays as it was entered, like every other column but the payer.
drop trigger ledger_no_update;
create trigger ledger_no_update before update on ledger
  when new.payer is not null or new.id <> old.id or new.kind <> old.kind or new.wechat_id <> old.wechat_id
    or new.order_id is not old.order_id or new.attempt_id is not old.attempt_id or new.amount_fen <> old.amount_fen
    or new.borne_fen <> old.borne_fen or new.at <> old.at or new.moved_at <> old.moved_at or new.day <> old.day begin
  select raise(abort, 'the ledger is append-only');
end;
