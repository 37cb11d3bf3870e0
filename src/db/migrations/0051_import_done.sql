-- What became of the rows of a table of products: noted with the transaction that carried them out, of which a long
-- table takes several.
create table product_import_done (
  import_id integer not null references product_imports (id) on delete cascade,
  -- Its place in the table.
  at        integer not null,
  what      text not null,
  primary key (import_id, at)
) strict, without rowid;
