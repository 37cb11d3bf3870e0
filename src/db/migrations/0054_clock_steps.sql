-- When the clock was set back, and by how much: what was noted before may be dated too late.
create table clock_steps (
  at      integer primary key,
  back_ms integer not null check (back_ms > 0)
) strict;
-- A sound copy of a shop in which a rule does not hold: it can be gone back to, and the page says which.
alter table backups add column broken text not null default '';
