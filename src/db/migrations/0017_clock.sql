-- What the clock said, once in an hour of running: what was out of date each time may be forgotten.
create table clock_seen (
  id integer primary key,
  at integer not null
) strict;
