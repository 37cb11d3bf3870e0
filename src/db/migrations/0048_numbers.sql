-- The merchant numbers that the shop was set to: from when, and until when; null for the one of today.
create table merchant_numbers (
  mch_id text primary key,
  since  integer not null,
  until  integer
) strict, without rowid;
insert into merchant_numbers (mch_id, since, until)
  select mch_id, min(created_at), max(created_at) from attempts group by mch_id;

-- Payments that came in for no attempt of ours: under which number, app and version, each null where that was never
-- noted. Of those from before it is known where the shop never had another number.
create table strays (
  transaction_id text primary key,
  mch_id         text not null,
  app_id         text,
  api            text check (api in ('v2', 'v3'))
) strict, without rowid;
insert into strays (transaction_id, mch_id)
  select l.wechat_id, n.mch_id
    from ledger l join merchant_numbers n
   where l.kind = 'payment' and l.attempt_id is null
     and (select count(*) from merchant_numbers) = 1
     and not exists (select 1 from settings s where s.name = 'wechat.mch_id' and s.value <> n.mch_id);
