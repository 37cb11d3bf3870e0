-- What somebody did a moment ago, with what it was before, so that he can take it back.
-- A number is used once: a page that was left open must not take back something else.
create table undos (
  id       integer primary key autoincrement,
  staff_id integer not null references staff (id),
  at       integer not null,
  -- As he was told that it was done.
  what     text not null,
  steps    text not null check (json_valid(steps))
) strict;
