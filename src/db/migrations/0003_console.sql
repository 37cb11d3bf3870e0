-- ── shipping: tables of tracking numbers ──

create table shipping_batches (
  id      integer primary key,
  who     text not null,
  at      integer not null,
  allowed text not null check (json_valid(allowed)),
  rows    text not null check (json_valid(rows)),
  ran_at  integer
) strict;
create index shipments_number on shipments (tracking_no) where tracking_no <> '';

-- ── orders: marks for the staff's eyes ──

alter table orders add column flag text not null default '' check (flag in ('', 'red', 'amber', 'blue', 'green'));
alter table orders add column prints integer not null default 0 check (prints >= 0);
create index orders_flagged on orders (id) where flag <> '';
create index orders_paid on orders (paid_at) where paid_at is not null;
create index orders_created on orders (created_at);

alter table categories add column visible integer not null default 1 check (visible in (0, 1));

-- A filter of the list of orders that somebody keeps.
create table order_views (
  id       integer primary key,
  staff_id integer not null references staff (id) on delete cascade,
  name     text not null check (length(name) between 1 and 20),
  query    text not null,
  unique (staff_id, name)
) strict;

-- ── what sold, per day and SKU: kept, so that the home page never has to count ──

create table sold_days (
  day    text not null,
  sku_id integer not null references skus (id),
  pieces integer not null,
  primary key (day, sku_id)
) strict, without rowid;
insert into sold_days (day, sku_id, pieces)
  select date(o.paid_at / 1000, 'unixepoch', '+8 hours'), l.sku_id, sum(l.quantity)
    from orders o join order_lines l on l.order_id = o.id
   where o.paid_at is not null
   group by 1, 2;

-- ── staff: second factor, who is shut out, and where a session sits ──

alter table staff add column totp blob;
alter table staff add column totp_step integer not null default 0;
alter table staff add column disabled_at integer;
alter table staff_sessions add column seen_at integer not null default 0;
alter table staff_sessions add column browser text not null default '';

create table staff_invitations (
  token_hash blob primary key,
  name       text not null,
  role       text not null check (role in ('owner', 'manager', 'clerk', 'packer')),
  expires_at integer not null
) strict;

-- Each entry's hash covers the one before it.
alter table audit_log add column hash blob;
create index audit_log_who on audit_log (who, id);

-- ── backups that were made, and what opening them proved ──

create table backups (
  id            integer primary key,
  at            integer not null,
  file          text not null unique,
  bytes         integer not null,
  orders        integer not null,
  last_order_at integer,
  took_ms       integer not null,
  problem       text not null,
  who           text not null
) strict;
