-- Version 55. Which SKUs came back: after an exchange that is what was sent in exchange, not what was bought first.

create table came_back (
  id        integer primary key,
  order_id  integer not null references orders (id),
  line_id   integer not null references order_lines (id),
  sku_id    integer not null references skus (id),
  quantity  integer not null check (quantity > 0),
  -- With a return, or with a refund that staff made by themselves.
  return_id integer references returns (id),
  refund_id integer references refunds (id),
  check ((return_id is null) <> (refund_id is null))
) strict;
create index came_back_order on came_back (order_id);

-- A parcel may hold two SKUs for one line: of what is sent again after an exchange of some pieces.
create table resend_goods (
  resend_id integer not null references resends (id),
  line_id   integer not null references order_lines (id),
  -- What is in it; for an exchange it may be another than was bought.
  sku_id    integer not null references skus (id),
  quantity  integer not null check (quantity > 0),
  primary key (resend_id, line_id, sku_id)
) strict, without rowid;
insert into resend_goods select resend_id, line_id, sku_id, quantity from resend_lines;
drop table resend_lines;
alter table resend_goods rename to resend_lines;
create trigger resend_lines_margin after insert on resend_lines begin
  insert into margin_hours (hour) select sent_at / 3600000 from resends where id = new.resend_id
    on conflict (hour) do update set moves = moves + 1;
end;
