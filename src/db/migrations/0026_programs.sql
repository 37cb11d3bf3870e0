-- Version 26. Other programs: keys by which they read and ship, and addresses that are told what happens.

create table api_keys (
  id         integer primary key,
  name       text not null unique check (length(name) between 1 and 20),
  -- Of the key itself only the hash is kept, and the end that people know it by.
  hash       blob not null unique,
  tail       text not null,
  rights     text not null check (json_valid(rights)),
  made_by    text not null,
  created_at integer not null,
  ends_at    integer not null,
  used_at    integer,
  used_ip    text not null default '',
  -- When it was last written down that it read whom parcels go to.
  read_at    integer not null default 0,
  ended_at   integer
) strict;

create table hooks (
  id            integer primary key,
  url           text not null,
  secret        blob not null,
  events        text not null check (json_valid(events)),
  made_by       text not null,
  created_at    integer not null,
  -- Of a row of failures, the first one.
  failing_since integer,
  off_at        integer,
  off_why       text not null default ''
) strict;

create table deliveries (
  id       integer primary key,
  hook_id  integer not null references hooks (id) on delete cascade,
  event    text not null,
  order_id integer references orders (id),
  body     text not null,
  at       integer not null,
  state    text not null check (state = 'waiting' or state = 'done' or state = 'failed' or state = 'dropped'),
  tries    integer not null default 0,
  -- What came back last: a status, or why nothing did.
  status   integer,
  problem  text not null default '',
  took_ms  integer not null default 0,
  ended_at integer
) strict;
create index deliveries_hook on deliveries (hook_id, id);
create index deliveries_waiting on deliveries (hook_id) where state = 'waiting';
create index deliveries_at on deliveries (at);

-- Up to which row hooks were told; none while there is no hook.
create table hooks_heard (
  id        integer primary key check (id = 1),
  event_id  integer not null,
  refund_id integer not null,
  entry_id  integer not null
) strict;
