-- What sending costs where it is not the shop's one sum per order: counted in pieces or grams, by region.
create table freight_templates (
  id        integer primary key,
  name      text not null unique,
  counts    text not null check (counts = 'piece' or counts = 'weight'),
  -- What each says of its regions, as they were written.
  rows      text not null check (json_valid(rows)),
  elsewhere text not null check (json_valid(elsewhere))
) strict;
-- None: by the shop's own rule, as the settings have it.
alter table products add column freight_id integer references freight_templates (id);
create index products_freight on products (freight_id) where freight_id is not null;
alter table skus add column weight_g integer not null default 0 check (weight_g >= 0);
