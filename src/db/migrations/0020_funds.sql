-- A day's fund flow: how the merchant's balance changed, beside what the bill of that day moves in all.
create table fund_flows (
  day                text primary key check (length(day) = 8),
  payments           integer not null,
  arrived_fen        integer not null,
  left_fen           integer not null,
  fee_fen            integer not null,
  -- Of refunds that came back.
  returned_fen       integer not null,
  withdrawn_fen      integer not null,
  other_fen          integer not null,
  -- Unknown where the rows do not hang together.
  opening_fen        integer,
  closing_fen        integer,
  billed_arrived_fen integer not null,
  billed_left_fen    integer not null,
  billed_fee_fen     integer not null,
  -- Why there is none.
  problem            text not null,
  at                 integer not null
) strict;
