-- Version 32. After-sale with goods: what buyers want to send back, its photographs, and what is sent to them once more.

-- ── goods that come back ──

create table returns (
  id           integer primary key,
  order_id     integer not null references orders (id),
  kind         text not null check (kind = 'return' or kind = 'exchange'),
  state        text not null check (state = 'requested' or state = 'agreed' or state = 'sent_back' or state = 'received'
                 or state = 'done' or state = 'rejected' or state = 'cancelled' or state = 'lapsed'),
  reason       text not null,
  description  text not null default '',
  -- What the shop told the buyer, and where the goods are to go, as it was told when it agreed.
  answer       text not null default '',
  address      text not null default '',
  -- The parcel in which they come back.
  company      text not null default '',
  company_name text not null default '',
  tracking_no  text not null default '',
  -- What became of its money.
  refund_id    integer unique references refunds (id),
  -- When the time for the present step is over; whether it was, and somebody was told.
  due_at       integer,
  overdue      integer not null default 0 check (overdue in (0, 1)),
  created_at   integer not null,
  ended_at     integer,
  check ((state = 'done' or state = 'rejected' or state = 'cancelled' or state = 'lapsed') = (ended_at is not null)),
  check ((ended_at is null) = (due_at is not null))
) strict;
-- One at a time: the next is asked for when this one has ended.
create unique index returns_open on returns (order_id) where ended_at is null;
create index returns_order on returns (order_id);
create index returns_state on returns (state, id);
create trigger returns_no_delete before delete on returns begin select raise(abort, 'a return is never deleted'); end;

create table return_lines (
  return_id integer not null references returns (id),
  line_id   integer not null references order_lines (id),
  quantity  integer not null check (quantity > 0),
  -- What the buyer would rather have; none where it is the same again, or the money.
  sku_id    integer references skus (id),
  -- The pieces came back and can be sold again.
  restocked integer not null default 0 check (restocked in (0, 1)),
  primary key (return_id, line_id)
) strict, without rowid;

-- What happened to it, for both sides.
create table return_steps (
  id        integer primary key,
  return_id integer not null references returns (id),
  at        integer not null,
  actor     text not null check (actor = 'buyer' or actor = 'staff' or actor = 'system'),
  state     text not null,
  note      text not null default ''
) strict;
create index return_steps_return on return_steps (return_id);

create table return_counts (
  state text primary key,
  n     integer not null check (n >= 0)
) strict;
insert into return_counts (state, n) values ('requested', 0), ('agreed', 0), ('sent_back', 0), ('received', 0), ('done', 0),
  ('rejected', 0), ('cancelled', 0), ('lapsed', 0);
create trigger returns_counted after insert on returns begin
  update return_counts set n = n + 1 where state = new.state;
end;
create trigger returns_recounted after update of state on returns when old.state <> new.state begin
  update return_counts set n = n - 1 where state = old.state;
  update return_counts set n = n + 1 where state = new.state;
end;

-- ── parcels that are sent once more: for what came back, or for what was lost ──

create table resends (
  id           integer primary key,
  order_id     integer not null references orders (id),
  return_id    integer unique references returns (id),
  reason       text not null,
  company      text not null default '',
  company_name text not null default '',
  tracking_no  text not null default '',
  sent_by      text not null,
  sent_at      integer not null
) strict;
create index resends_order on resends (order_id);
create index resends_at on resends (sent_at);

create table resend_lines (
  resend_id integer not null references resends (id),
  line_id   integer not null references order_lines (id),
  -- What is in it; for an exchange it may be another than was bought.
  sku_id    integer not null references skus (id),
  quantity  integer not null check (quantity > 0),
  primary key (resend_id, line_id)
) strict, without rowid;

-- ── photographs: for their buyer and the staff alone ──

create table photos (
  id         integer primary key,
  buyer_id   integer not null references buyers (id),
  -- What it was sent with; neither while the request has still to come.
  refund_id  integer references refunds (id),
  return_id  integer references returns (id),
  bytes      blob not null,
  thumb      blob not null,
  created_at integer not null,
  check (refund_id is null or return_id is null)
) strict;
create index photos_refund on photos (refund_id) where refund_id is not null;
create index photos_return on photos (return_id) where return_id is not null;
create index photos_loose on photos (buyer_id, id) where refund_id is null and return_id is null;

alter table idempotency_keys add column return_id integer references returns (id);
