-- Version 6: what sold is kept by SKU, then day, so that the last days of each are read in a row and nothing is sorted.

alter table sold_days rename to old_sold_days;
create table sold_days (
  sku_id integer not null references skus (id),
  day    text not null,
  pieces integer not null,
  primary key (sku_id, day)
) strict, without rowid;
insert into sold_days (sku_id, day, pieces) select sku_id, day, pieces from old_sold_days order by sku_id, day;
drop table old_sold_days;
