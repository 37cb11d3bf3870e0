-- Invoices (发票) that buyers ask for, one of an order. What it is about is read from the order; what was written out stands here.
create table invoices (
  id         integer primary key,
  order_id   integer not null unique references orders (id),
  kind       text not null check (kind = 'personal' or kind = 'company'),
  title      text not null,
  tax_no     text not null default '',
  email      text not null default '',
  state      text not null check (state = 'asked' or state = 'issued' or state = 'refused'),
  asked_at   integer not null,
  -- Of one that was issued: what it says, its number and where its file is.
  issued_fen integer check (issued_fen > 0),
  number     text not null default '',
  link       text not null default '',
  -- Of one that was refused: why.
  answer     text not null default '',
  decided_at integer,
  check ((state = 'issued') = (issued_fen is not null)),
  check ((state = 'asked') = (decided_at is null))
) strict;
create index invoices_state on invoices (state, id);
