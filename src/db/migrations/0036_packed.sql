-- Messages and attempts' parameters are much alike: they are kept deflated, byte for byte as they were, against a
-- dictionary that each row names. `inflated(packed, bytes of the dictionary)` and `xiaopu log` read them.

create table dictionaries (
  id      integer primary key,
  made_at integer not null,
  bytes   blob not null
) strict;
create trigger dictionaries_no_update before update on dictionaries begin select raise(abort, 'dictionaries never change'); end;
create trigger dictionaries_no_delete before delete on dictionaries begin select raise(abort, 'dictionaries never change'); end;

-- A message with a dictionary has answer, checks and request in `packed`, in this order behind a line with the lengths of
-- the first two; `request`, `response` and `checks` are then empty. One without is as plain as before.
alter table messages add column dictionary integer references dictionaries (id);
alter table messages add column packed blob;
-- With a dictionary, `params` is packed and a blob.
alter table attempts add column dictionary integer references dictionaries (id);
pragma writable_schema = on;
update sqlite_schema
   set sql = replace(sql,
     'params         text not null check (json_valid(params))',
     'params         any not null')
 where type = 'table' and name = 'attempts';
pragma writable_schema = reset;

-- What is still as an older program wrote it, and how far it has been brought over.
create table unpacked (
  what  text primary key check (what = 'messages' or what = 'attempts'),
  done  integer not null,
  last  integer not null
) strict, without rowid;
insert into unpacked (what, done, last) select 'messages', 0, max(id) from messages having max(id) is not null;
insert into unpacked (what, done, last) select 'attempts', 0, max(id) from attempts having max(id) is not null;

-- Keys, codes and logins are found by their key alone, so their rows stand in its index; whoever tidies up looks at all
-- of them, once an hour and beside the writer, and that costs less than an index of their ages.
create table login_codes_now (
  code_hash blob primary key,
  used_at   integer not null
) strict, without rowid;
insert into login_codes_now select code_hash, used_at from login_codes;
drop table login_codes;
alter table login_codes_now rename to login_codes;

create table buyer_sessions_now (
  token_hash blob primary key,
  buyer_id   integer not null references buyers (id),
  expires_at integer not null
) strict, without rowid;
insert into buyer_sessions_now select token_hash, buyer_id, expires_at from buyer_sessions;
drop table buyer_sessions;
alter table buyer_sessions_now rename to buyer_sessions;

create table idempotency_keys_now (
  buyer_id    integer not null references buyers (id),
  key         text not null,
  fingerprint blob not null,
  order_id    integer not null references orders (id),
  refund_id   integer references refunds (id),
  return_id   integer references returns (id),
  created_at  integer not null,
  steady_at   integer not null,
  primary key (buyer_id, key)
) strict, without rowid;
insert into idempotency_keys_now
  select buyer_id, key, fingerprint, order_id, refund_id, return_id, created_at, steady_at from idempotency_keys;
drop table idempotency_keys;
alter table idempotency_keys_now rename to idempotency_keys;
