-- Version 25. What buyers and staff are told outside the shop's own pages.

-- Each thing that somebody is told by some way, and what became of it.
create table outbox (
  id       integer primary key,
  at       integer not null,
  channel  text not null,
  topic    text not null,
  what     text not null,
  order_id integer references orders (id),
  -- Of a refund, which one.
  subject  integer not null default 0,
  state    text not null check (state = 'waiting' or state = 'sent' or state = 'refused' or state = 'failed' or state = 'dropped'),
  ended_at integer,
  problem  text not null default '',
  check ((state = 'waiting') = (ended_at is null))
) strict;
create index outbox_waiting on outbox (channel, id) where state = 'waiting';
create index outbox_failed on outbox (id) where state = 'failed' or state = 'refused';
create index outbox_at on outbox (at);

-- Up to which row of each table that only grows somebody was told; none while nobody wants to hear.
create table heard (
  id           integer primary key check (id = 1),
  event_id     integer not null,
  refund_id    integer not null,
  entry_id     integer not null,
  exception_id integer not null,
  move_id      integer not null,
  backup_id    integer not null
) strict;
-- When each robot or mailbox was last told something.
create table channels_told (
  channel text primary key,
  at      integer not null
) strict, without rowid;
-- SKUs of which it was told that they run low, until there is enough again.
create table low_told (
  sku_id integer primary key references skus (id)
) strict;
