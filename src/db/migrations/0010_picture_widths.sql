-- Each picture in the widths that phones ask for, beside the full one in images.
create table image_widths (
  hash  text not null references images (hash),
  width text not null check (width in ('thumb', 'card')),
  bytes blob not null,
  primary key (hash, width)
) strict;
