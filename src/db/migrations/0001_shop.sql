-- The shop, first version. Money is fen, times are epoch milliseconds (Asia/Shanghai only when shown).

-- What the console stored; a sealed value opens with the key file beside the database.
create table settings (
  name   text primary key,
  value  text,
  sealed blob,
  check ((value is null) <> (sealed is null))
) strict;

-- Raised by every write that a buyer could see in the catalogue.
create table catalogue_version (
  id      integer primary key check (id = 1),
  version integer not null
) strict;
insert into catalogue_version (id, version) values (1, 1);

-- ── catalogue ──

create table images (
  hash       text primary key check (length(hash) = 64),
  width      integer not null check (width > 0),
  height     integer not null check (height > 0),
  bytes      blob not null,
  created_at integer not null
) strict;

create table categories (
  id        integer primary key,
  parent_id integer references categories (id),
  name      text not null check (length(name) between 1 and 20),
  icon_hash text references images (hash),
  position  integer not null default 0,
  unique (parent_id, name)
) strict;
create unique index categories_top_name on categories (name) where parent_id is null;

create table products (
  id               integer primary key,
  category_id      integer references categories (id),
  name             text not null check (length(name) between 1 and 60),
  subtitle         text not null default '',
  detail           text not null default '',
  on_shelf         integer not null default 1 check (on_shelf in (0, 1)),
  -- Over the enabled SKUs; kept by the one function that changes SKUs.
  price_fen        integer not null default 0 check (price_fen >= 0),
  max_price_fen    integer not null default 0 check (max_price_fen >= price_fen),
  market_price_fen integer check (market_price_fen >= 0),
  sold_count       integer not null default 0 check (sold_count >= 0),
  version          integer not null default 1,
  created_at       integer not null,
  updated_at       integer not null
) strict;
create unique index products_name on products (name);
create index products_category on products (category_id);

create table product_images (
  product_id integer not null references products (id) on delete cascade,
  position   integer not null,
  hash       text not null references images (hash),
  primary key (product_id, position)
) strict;

create table skus (
  id               integer primary key,
  product_id       integer not null references products (id),
  -- JSON array of [name, value] pairs, in the order they are shown; [] for a product without choices.
  specs            text not null default '[]' check (json_valid(specs)),
  sku_code         text check (sku_code <> ''),
  price_fen        integer not null check (price_fen >= 0),
  market_price_fen integer check (market_price_fen >= 0),
  on_hand          integer not null default 0,
  reserved         integer not null default 0,
  limit_per_order  integer check (limit_per_order > 0),
  delivery         text not null default 'express' check (delivery in ('express', 'pickup', 'none')),
  image_hash       text references images (hash),
  enabled          integer not null default 1 check (enabled in (0, 1)),
  position         integer not null default 0,
  unique (product_id, specs),
  -- Overselling is not only forbidden, it is impossible.
  check (reserved >= 0 and on_hand >= reserved)
) strict;
create unique index skus_code on skus (sku_code) where sku_code is not null;

-- ── buyers ──

create table buyers (
  id         integer primary key,
  app_id     text not null,
  openid     text not null,
  nickname   text not null default '',
  avatar_url text not null default '',
  created_at integer not null,
  unique (app_id, openid)
) strict;

create table buyer_sessions (
  token_hash blob primary key,
  buyer_id   integer not null references buyers (id),
  expires_at integer not null
) strict;
create index buyer_sessions_expiry on buyer_sessions (expires_at);

-- A wx.login code is good once; its hash is kept while WeChat would still know it.
create table login_codes (
  code_hash blob primary key,
  used_at   integer not null
) strict;

create table addresses (
  id         integer primary key,
  buyer_id   integer not null references buyers (id),
  receiver   text not null,
  phone      text not null,
  province   text not null,
  city       text not null,
  district   text not null,
  detail     text not null,
  postcode   text not null default '',
  is_default integer not null default 0 check (is_default in (0, 1))
) strict;
create index addresses_buyer on addresses (buyer_id);
create unique index addresses_default on addresses (buyer_id) where is_default = 1;

-- ── orders ──

create table orders (
  id            integer primary key,
  order_no      text not null unique,
  buyer_id      integer not null references buyers (id),
  status        text not null check (status in ('pending_payment', 'to_ship', 'shipped', 'completed', 'closed')),
  closed_reason text check (closed_reason in ('timeout', 'buyer_cancelled', 'staff_cancelled', 'refunded')),
  goods_fen     integer not null check (goods_fen >= 0),
  freight_fen   integer not null check (freight_fen >= 0),
  discount_fen  integer not null default 0 check (discount_fen >= 0),
  total_fen     integer not null check (total_fen >= 1 and total_fen = goods_fen + freight_fen - discount_fen),
  paid_fen      integer not null default 0 check (paid_fen >= 0),
  refunded_fen  integer not null default 0 check (refunded_fen between 0 and paid_fen),
  delivery      text not null check (delivery in ('express', 'pickup', 'none')),
  -- JSON as the buyer gave it then; later edits of the address book do not move parcels.
  address       text check (json_valid(address)),
  remark        text not null default '',
  memo          text not null default '',
  -- Whether its lines still hold stock that is neither shipped nor released.
  holds_stock   integer not null check (holds_stock in (0, 1)),
  created_at    integer not null,
  expires_at    integer not null,
  paid_at       integer,
  shipped_at    integer,
  completed_at  integer,
  closed_at     integer,
  check ((status = 'closed') = (closed_reason is not null)),
  check ((status = 'closed') = (closed_at is not null))
) strict;
create index orders_buyer on orders (buyer_id, id);
create index orders_status on orders (status, id);

create table order_lines (
  id                integer primary key,
  order_id          integer not null references orders (id),
  product_id        integer not null references products (id),
  sku_id            integer not null references skus (id),
  name              text not null,
  spec_text         text not null,
  image_hash        text references images (hash),
  price_fen         integer not null check (price_fen >= 0),
  quantity          integer not null check (quantity > 0),
  shipped_quantity  integer not null default 0 check (shipped_quantity between 0 and quantity),
  refunded_quantity integer not null default 0 check (refunded_quantity between 0 and quantity),
  unique (order_id, sku_id)
) strict;
create index order_lines_sku on order_lines (sku_id);

-- How many orders stand in each status; the order's own triggers keep it, so the tabs never have to count.
create table order_counts (
  status text primary key,
  n      integer not null check (n >= 0)
) strict;
insert into order_counts (status, n)
  values ('pending_payment', 0), ('to_ship', 0), ('shipped', 0), ('completed', 0), ('closed', 0);
create trigger orders_counted after insert on orders begin
  update order_counts set n = n + 1 where status = new.status;
end;
create trigger orders_recounted after update of status on orders when old.status <> new.status begin
  update order_counts set n = n - 1 where status = old.status;
  update order_counts set n = n + 1 where status = new.status;
end;

create table order_events (
  id          integer primary key,
  order_id    integer not null references orders (id),
  at          integer not null,
  actor       text not null check (actor in ('buyer', 'staff', 'system', 'wechat')),
  actor_name  text not null default '',
  from_status text,
  to_status   text,
  what        text not null,
  message_id  integer
) strict;
create index order_events_order on order_events (order_id, id);
create trigger order_events_no_update before update on order_events begin select raise(abort, 'the timeline is append-only'); end;
create trigger order_events_no_delete before delete on order_events begin select raise(abort, 'the timeline is append-only'); end;

create table shipments (
  id          integer primary key,
  order_id    integer not null references orders (id),
  state       text not null check (state in ('shipped', 'voided')),
  company     text not null,
  tracking_no text not null,
  shipped_at  integer not null
) strict;
create index shipments_order on shipments (order_id);

create table shipment_lines (
  shipment_id integer not null references shipments (id),
  line_id     integer not null references order_lines (id),
  quantity    integer not null check (quantity > 0),
  primary key (shipment_id, line_id)
) strict;

-- Every change of stock, with its reason; on_hand and reserved are their sums.
create table stock_moves (
  id             integer primary key,
  sku_id         integer not null references skus (id),
  reason         text not null check (reason in ('reserve', 'release', 'ship', 'return', 'adjust')),
  on_hand_delta  integer not null,
  reserved_delta integer not null,
  line_id        integer references order_lines (id),
  staff_id       integer,
  note           text not null default '',
  at             integer not null
) strict;
create index stock_moves_sku on stock_moves (sku_id);
create index stock_moves_line on stock_moves (line_id);
create trigger stock_moves_no_update before update on stock_moves begin select raise(abort, 'stock moves are append-only'); end;
create trigger stock_moves_no_delete before delete on stock_moves begin select raise(abort, 'stock moves are append-only'); end;

create table idempotency_keys (
  buyer_id    integer not null references buyers (id),
  key         text not null,
  fingerprint blob not null,
  order_id    integer not null references orders (id),
  created_at  integer not null,
  primary key (buyer_id, key)
) strict;
create index idempotency_keys_age on idempotency_keys (created_at);

-- ── payments ──

create table attempts (
  id             integer primary key,
  order_id       integer not null references orders (id),
  n              integer not null check (n between 1 and 99),
  out_trade_no   text not null unique,
  state          text not null check (state in ('created', 'prepaid', 'paid', 'closing', 'closed', 'failed')),
  total_fen      integer not null check (total_fen >= 1),
  app_id         text not null,
  mch_id         text not null,
  openid         text not null,
  -- The exact parameters of the unified order, without the signature: a repeat sends the same.
  params         text not null check (json_valid(params)),
  prepay_id      text,
  prepaid_at     integer,
  transaction_id text,
  paid_at        integer,
  queried_at     integer,
  created_at     integer not null,
  unique (order_id, n),
  check ((state = 'paid') = (transaction_id is not null)),
  check (state <> 'prepaid' or prepay_id is not null)
) strict;
-- At most one attempt can be paid at WeChat at a time; a transaction pays one attempt.
create unique index attempts_one_alive on attempts (order_id) where state in ('created', 'prepaid');
create unique index attempts_transaction on attempts (transaction_id) where transaction_id is not null;

-- Every message exchanged with WeChat. Outgoing ones without their signature, incoming ones byte for byte.
create table messages (
  id             integer primary key,
  at             integer not null,
  direction      text not null check (direction in ('in', 'out')),
  kind           text not null,
  order_id       integer references orders (id),
  attempt_id     integer references attempts (id),
  out_trade_no   text,
  transaction_id text,
  amount_fen     integer,
  verdict        text not null check (verdict in ('ok', 'refused', 'failed', 'suspicious')),
  reason         text not null,
  checks         text not null default '[]' check (json_valid(checks)),
  request        blob not null,
  response       blob not null,
  source_ip      text not null default '',
  took_ms        integer not null default 0
) strict;
create index messages_order on messages (order_id) where order_id is not null;
create index messages_number on messages (out_trade_no) where out_trade_no is not null;
create index messages_verdict on messages (verdict, id);
create index messages_kind on messages (kind, id);

create table ledger (
  id         integer primary key,
  kind       text not null check (kind in ('payment', 'refund', 'fee', 'offline')),
  -- WeChat's transaction_id or refund_id.
  wechat_id  text not null,
  order_id   integer references orders (id),
  attempt_id integer references attempts (id),
  amount_fen integer not null,
  at         integer not null,
  unique (kind, wechat_id)
) strict;
create index ledger_order on ledger (order_id) where order_id is not null;
create trigger ledger_no_update before update on ledger begin select raise(abort, 'the ledger is append-only'); end;
create trigger ledger_no_delete before delete on ledger begin select raise(abort, 'the ledger is append-only'); end;

-- Money that does not fit an order, waiting for a decision.
create table money_exceptions (
  id             integer primary key,
  kind           text not null check (kind in ('late_payment', 'duplicate_payment', 'amount_mismatch',
                   'orphan_payment', 'payer_mismatch', 'console_refund', 'bill_difference')),
  state          text not null check (state in ('open', 'resolved')),
  order_id       integer references orders (id),
  attempt_id     integer references attempts (id),
  out_trade_no   text not null,
  transaction_id text not null,
  amount_fen     integer not null,
  what           text not null,
  opened_at      integer not null,
  resolved_at    integer,
  resolution     text,
  unique (kind, transaction_id, out_trade_no),
  check ((state = 'resolved') = (resolved_at is not null))
) strict;
create index money_exceptions_open on money_exceptions (id) where state = 'open';
create index money_exceptions_order on money_exceptions (order_id) where order_id is not null;

-- ── jobs: what must still happen ──

create table jobs (
  id         integer primary key,
  kind       text not null,
  -- What it is about; a subject has at most one waiting job of a kind.
  subject    integer not null,
  state      text not null check (state in ('waiting', 'done', 'needs_person')),
  run_at     integer not null,
  tries      integer not null default 0,
  last_error text not null default '',
  created_at integer not null,
  updated_at integer not null
) strict;
create unique index jobs_one_waiting on jobs (kind, subject) where state = 'waiting';
create index jobs_due on jobs (run_at) where state = 'waiting';

-- ── staff ──

create table staff (
  id            integer primary key,
  name          text not null unique check (length(name) between 1 and 32),
  role          text not null check (role in ('owner', 'manager', 'clerk', 'packer')),
  password_hash text not null,
  created_at    integer not null,
  last_login_at integer,
  last_login_ip text
) strict;

create table staff_sessions (
  token_hash blob primary key,
  staff_id   integer not null references staff (id) on delete cascade,
  created_at integer not null,
  expires_at integer not null,
  ip         text not null
) strict;

create table setup_links (
  token_hash blob primary key,
  expires_at integer not null
) strict;

-- Failed logins, by account and by address, to slow guessing down.
create table login_failures (
  id      integer primary key,
  account text not null,
  ip      text not null,
  at      integer not null
) strict;
create index login_failures_account on login_failures (account, at);
create index login_failures_ip on login_failures (ip, at);

create table audit_log (
  id       integer primary key,
  at       integer not null,
  staff_id integer references staff (id),
  who      text not null,
  ip       text not null,
  what     text not null
) strict;
create trigger audit_log_no_update before update on audit_log begin select raise(abort, 'the audit log is append-only'); end;
create trigger audit_log_no_delete before delete on audit_log begin select raise(abort, 'the audit log is append-only'); end;
