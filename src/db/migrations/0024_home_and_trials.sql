-- What the mini-program's home shows first, as the shop arranged it.
create table banners (
  position    integer primary key,
  image_hash  text not null references images (hash),
  product_id  integer references products (id),
  category_id integer references categories (id) on delete set null,
  check (product_id is null or category_id is null)
) strict;

create table pinned_products (
  position   integer primary key,
  product_id integer not null unique references products (id)
) strict;

create table hot_words (
  position integer primary key,
  word     text not null unique check (length(word) between 1 and 20)
) strict;

-- What the last test of each part of the settings said: it stands until that part is changed.
create table trials (
  part  text primary key,
  fine  integer not null check (fine in (0, 1)),
  words text not null,
  at    integer not null
) strict, without rowid;
