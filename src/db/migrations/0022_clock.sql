-- A clock may jump: what is forgotten has been out of date at each look of two days of running, and a key that was used
-- again is known by the clock that people set, or by the one that only runs.
create table clock_seen (
  -- Milliseconds that the program has run, all its runs together.
  lived integer primary key,
  at    integer not null
) strict;
alter table idempotency_keys add column steady_at integer not null default 0;
update idempotency_keys set steady_at = created_at;
