-- Every key that was in force a short while ago, and when it went out of use: a wrong one that stood there for a minute must
-- not push out the right one, whose notices are still on their way.
create table former_keys (
  id       integer primary key,
  name     text not null,
  sealed   blob not null,
  ended_at integer not null
) strict;
insert into former_keys (name, sealed, ended_at)
  select name, before, changed_at from key_changes where before is not null and changed_at is not null;
alter table key_changes drop column before;
alter table key_changes drop column changed_at;
