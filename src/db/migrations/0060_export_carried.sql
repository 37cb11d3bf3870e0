-- Version 60. What rows of an export said when they were carried out, so that the same file, corrected and brought again,
-- adds only what is new in it. Forgotten after a year.

create table export_carried (
  -- When the table was exported, which it says of itself, epoch ms.
  exported_at integer not null,
  sku_id      integer not null references skus (id),
  -- What the row last wrote as stock; null where it wrote none.
  stock       integer,
  -- A print of each of its other cells, as an export has them.
  prints      text not null,
  ran_at      integer not null,
  primary key (exported_at, sku_id)
) strict, without rowid;
