-- Mini-program codes of products, as WeChat made them for this app; they stay good for ever.
create table product_codes (
  product_id integer primary key references products (id),
  app_id     text not null,
  picture    blob not null,
  made_at    integer not null
) strict;
