-- Version 9. When a product goes on and off the shelf by itself; a time that has come is taken out.
alter table products add column on_at integer check (on_at > 0);
alter table products add column off_at integer check (off_at > on_at);
