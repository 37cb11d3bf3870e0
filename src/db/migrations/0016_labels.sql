-- Version 16. Who carries parcels, and orders that are found by the tail of their number.

-- What a service is called where its code does not say it: one that WeChat's list has not, or that was added to it.
alter table shipments add column company_name text not null default '';

-- What WeChat's list has besides the one that came with the program, and what came of asking for it.
create table carriers (
  code text primary key,
  name text not null
) strict, without rowid;
create table carriers_asked (
  id      integer primary key check (id = 1),
  at      integer not null,
  outcome text not null
) strict;

-- Numbers of which somebody said who carries them: their beginning and their length.
create table carrier_marks (
  mark         text primary key,
  company      text not null,
  company_name text not null,
  at           integer not null
) strict, without rowid;

-- People read out, and search for, the last five or more characters.
create index orders_tail on orders (substr(order_no, -5));

-- From which columns a table of tracking numbers was read, and what of it was left out, in words.
alter table shipping_batches add column read_as text not null default '[]';
