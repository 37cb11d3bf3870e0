-- How far WeChat says the settlement of a payment has come.
create table settlements (
  transaction_id text primary key,
  estimated_at   integer,
  settled_at     integer,
  at             integer not null
) strict;
create index settlements_waiting on settlements (estimated_at) where settled_at is null;

-- What WeChat last said about the duty to tell how goods left, by its own word, and when.
create table duties (
  word text primary key,
  at   integer not null
) strict;
