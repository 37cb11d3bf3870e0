-- Money is never lost: refunds, bills, and a ledger that can prove both.

-- Pieces that a refund gave back to the shelf before they were shipped.
alter table order_lines add column released_quantity integer not null default 0
  check (released_quantity between 0 and quantity - shipped_quantity);

-- ── refunds ──

create table refunds (
  id             integer primary key,
  -- Final from the first moment: every retry sends this number, so that WeChat pays once.
  out_refund_no  text not null unique,
  order_id       integer references orders (id),
  -- Whether it returns the order's own money, or money that came beside it.
  inside         integer not null check (inside in (0, 1)),
  -- The payment it returns; none for money that was taken outside WeChat.
  transaction_id text,
  -- What that payment amounts to, in fen: WeChat wants to hear it with every refund.
  payment_fen    integer not null,
  origin         text not null check (origin in ('buyer', 'staff', 'automatic', 'console')),
  state          text not null check (state in ('requested', 'approved', 'processing', 'succeeded', 'rejected',
                   'cancelled', 'failed', 'abnormal')),
  amount_fen     integer not null check (amount_fen between 1 and payment_fen),
  freight_fen    integer not null default 0 check (freight_fen between 0 and amount_fen),
  reason         text not null,
  description    text not null default '',
  requested_by   text not null default '',
  decided_by     text not null default '',
  -- What the buyer was told when it was refused.
  answer         text not null default '',
  -- Not sent before this moment: staff may stop an automatic refund until then.
  not_before     integer not null,
  -- The exact parameters of the first sending, without the signature: a repeat sends the same.
  params         text check (json_valid(params)),
  tries          integer not null default 0,
  sent_at        integer,
  accepted_at    integer,
  refund_id      text unique,
  -- Where the money went, in WeChat's words.
  account        text not null default '',
  problem_code   text not null default '',
  problem        text not null default '',
  created_at     integer not null,
  ended_at       integer,
  check (inside = 0 or order_id is not null),
  check ((state in ('succeeded', 'rejected', 'cancelled')) = (ended_at is not null))
) strict;
create index refunds_order on refunds (order_id) where order_id is not null;
create index refunds_transaction on refunds (transaction_id) where transaction_id is not null;
create index refunds_state on refunds (state, id);
create trigger refunds_no_delete before delete on refunds begin select raise(abort, 'a refund is never deleted'); end;

create table refund_lines (
  refund_id  integer not null references refunds (id),
  line_id    integer not null references order_lines (id),
  quantity   integer not null check (quantity >= 0),
  amount_fen integer not null check (amount_fen >= 0),
  -- The pieces came back and can be sold again.
  restock    integer not null default 0 check (restock in (0, 1)),
  primary key (refund_id, line_id),
  check (quantity > 0 or amount_fen > 0)
) strict;
create index refund_lines_line on refund_lines (line_id);

-- How many refunds stand in each state, for the counted tabs.
create table refund_counts (
  state text primary key,
  n     integer not null check (n >= 0)
) strict;
insert into refund_counts (state, n) values ('requested', 0), ('approved', 0), ('processing', 0), ('succeeded', 0),
  ('rejected', 0), ('cancelled', 0), ('failed', 0), ('abnormal', 0);
create trigger refunds_counted after insert on refunds begin
  update refund_counts set n = n + 1 where state = new.state;
end;
create trigger refunds_recounted after update of state on refunds when old.state <> new.state begin
  update refund_counts set n = n - 1 where state = old.state;
  update refund_counts set n = n + 1 where state = new.state;
end;

alter table idempotency_keys add column refund_id integer references refunds (id);

-- ── ledger: when money moved at WeChat, money linked to an order later, and kept sums per day ──

create table ledger_now (
  id         integer primary key,
  kind       text not null check (kind in ('payment', 'refund', 'fee', 'offline', 'link', 'unlink')),
  -- WeChat's transaction_id or refund_id; our own refund number for money returned by other means.
  wechat_id  text not null,
  order_id   integer references orders (id),
  attempt_id integer references attempts (id),
  amount_fen integer not null,
  -- When the money moved, in WeChat's own words, and the business day of that moment: the bill of that day names it.
  moved_at   integer not null,
  day        text not null check (length(day) = 8),
  at         integer not null,
  unique (kind, wechat_id),
  check (case kind when 'payment' then amount_fen > 0 when 'link' then amount_fen > 0 and order_id is not null
                   when 'refund' then amount_fen < 0 when 'unlink' then amount_fen < 0 and order_id is null
                   else amount_fen <> 0 end)
) strict;
insert into ledger_now (id, kind, wechat_id, order_id, attempt_id, amount_fen, moved_at, day, at)
  select l.id, l.kind, l.wechat_id, l.order_id, l.attempt_id, l.amount_fen, coalesce(a.paid_at, l.at),
         strftime('%Y%m%d', coalesce(a.paid_at, l.at) / 1000 + 8 * 3600, 'unixepoch'), l.at
    from ledger l left join attempts a on a.transaction_id = l.wechat_id;
drop table ledger;
alter table ledger_now rename to ledger;
create index ledger_order on ledger (order_id) where order_id is not null;
create index ledger_day on ledger (day);
create trigger ledger_no_update before update on ledger begin select raise(abort, 'the ledger is append-only'); end;
create trigger ledger_no_delete before delete on ledger begin select raise(abort, 'the ledger is append-only'); end;

-- What each day brought, kept by the ledger's own trigger.
create table money_days (
  day          text primary key,
  payments     integer not null default 0,
  received_fen integer not null default 0,
  refunds      integer not null default 0,
  refunded_fen integer not null default 0,
  fee_fen      integer not null default 0,
  offline_fen  integer not null default 0
) strict;
insert into money_days (day, payments, received_fen)
  select day, count(*), sum(amount_fen) from ledger where kind = 'payment' group by day;
create trigger ledger_summed after insert on ledger begin
  insert into money_days (day) values (new.day) on conflict (day) do nothing;
  update money_days
     set payments = payments + (new.kind = 'payment'),
         received_fen = received_fen + iif(new.kind = 'payment', new.amount_fen, 0),
         refunds = refunds + (new.kind = 'refund'),
         refunded_fen = refunded_fen - iif(new.kind = 'refund', new.amount_fen, 0),
         fee_fen = fee_fen - iif(new.kind = 'fee', new.amount_fen, 0),
         offline_fen = offline_fen + iif(new.kind = 'offline', new.amount_fen, 0)
   where day = new.day;
end;

-- ── money exceptions: with the refund that settles them, and with what a bill says differently ──

create table money_exceptions_now (
  id             integer primary key,
  kind           text not null check (kind in ('late_payment', 'duplicate_payment', 'amount_mismatch',
                   'orphan_payment', 'payer_mismatch', 'console_refund', 'bill_difference')),
  -- What it is about: the same money is reported once.
  subject        text not null,
  state          text not null check (state in ('open', 'resolved')),
  order_id       integer references orders (id),
  attempt_id     integer references attempts (id),
  refund_id      integer references refunds (id),
  out_trade_no   text not null default '',
  transaction_id text not null default '',
  amount_fen     integer not null,
  fee_type       text not null default 'CNY',
  what           text not null,
  -- For a bill's difference: the day, which kind, and what either side says.
  day            text,
  difference     text,
  ours           text not null default '',
  theirs         text not null default '',
  opened_at      integer not null,
  resolved_at    integer,
  resolution     text,
  unique (kind, subject),
  check ((state = 'resolved') = (resolved_at is not null)),
  check ((kind = 'bill_difference') = (day is not null)),
  check ((day is null) = (difference is null))
) strict;
insert into money_exceptions_now (id, kind, subject, state, order_id, attempt_id, out_trade_no, transaction_id, amount_fen,
                                  what, opened_at, resolved_at, resolution)
  select id, kind, transaction_id || ' ' || out_trade_no, state, order_id, attempt_id, out_trade_no, transaction_id,
         amount_fen, what, opened_at, resolved_at, resolution from money_exceptions;
drop table money_exceptions;
alter table money_exceptions_now rename to money_exceptions;
create index money_exceptions_open on money_exceptions (id) where state = 'open';
create index money_exceptions_order on money_exceptions (order_id) where order_id is not null;
create index money_exceptions_day on money_exceptions (day) where day is not null;
create index money_exceptions_refund on money_exceptions (refund_id) where refund_id is not null;

-- ── bills ──

create table bills (
  day          text primary key check (length(day) = 8),
  -- waiting: not out yet; equal; differs; empty: no trade on either side; failed: could not be read.
  state        text not null check (state in ('waiting', 'equal', 'differs', 'empty', 'failed')),
  payments     integer not null default 0,
  received_fen integer not null default 0,
  refunds      integer not null default 0,
  refunded_fen integer not null default 0,
  fee_fen      integer not null default 0,
  problem      text not null default '',
  checked_at   integer not null
) strict;

create table bill_rows (
  day            text not null,
  line           integer not null,
  kind           text not null check (kind in ('payment', 'refund')),
  transaction_id text not null,
  out_trade_no   text not null,
  refund_id      text,
  out_refund_no  text,
  -- What was paid, or what was refunded; always positive.
  amount_fen     integer not null,
  -- What WeChat kept; negative when it gave a fee back.
  fee_fen        integer not null,
  -- Whether the fee is what the rate asks for.
  fee_fits       integer not null check (fee_fits in (0, 1)),
  at             integer not null,
  raw            text not null,
  primary key (day, line),
  check ((kind = 'refund') = (refund_id is not null))
) strict;
create index bill_rows_transaction on bill_rows (transaction_id);
create index bill_rows_refund on bill_rows (refund_id) where refund_id is not null;

-- ── jobs: how often a task was asked for, and since when it has been failing ──

alter table jobs add column asked integer not null default 0;
alter table jobs add column failing_since integer;
create index jobs_stuck on jobs (kind, subject) where state = 'needs_person';
create index jobs_done on jobs (updated_at) where state = 'done';

alter table messages add column out_refund_no text;
create index messages_refund on messages (out_refund_no) where out_refund_no is not null;

-- Every night the rules are checked against every row.
create table self_checks (
  at     integer primary key,
  rules  integer not null,
  broken text not null check (json_valid(broken))
) strict;

-- The value in force when we last looked, and the one before: after a change of key both verify for a while.
create table key_changes (
  name       text primary key,
  now        blob not null,
  before     blob,
  changed_at integer
) strict;
