-- Version 58. Of which payments WeChat was asked, since the shop went back to a backup, what of them went back meanwhile.

create table asked_back (
  entry_id    integer primary key references ledger (id),
  -- After which going back: what was answered before another one says nothing.
  restored_at integer not null,
  answered    integer not null check (answered in (0, 1)),
  -- Somebody let goods leave without an answer.
  decided     integer not null default 0 check (decided in (0, 1)),
  -- Why there is no answer, and when it is asked for again by itself; never, where it waits for other settings.
  problem     text not null default '',
  again_at    integer
) strict;
create index asked_back_open on asked_back (entry_id) where answered = 0;
