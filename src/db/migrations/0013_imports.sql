-- Tables of products: shown with what they would change, and kept until they are carried out.

create table product_imports (
  id     integer primary key,
  who    text not null,
  at     integer not null,
  notes  text not null check (json_valid(notes)),
  rows   text not null check (json_valid(rows)),
  ran_at integer
) strict;
