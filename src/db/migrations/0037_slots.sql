-- The time that a buyer chose for his goods to be brought or fetched.
alter table orders add column slot_start integer;
alter table orders add column slot_end integer check ((slot_end is null) = (slot_start is null) and slot_end > slot_start);
create index orders_slot on orders (slot_start) where slot_start is not null;
