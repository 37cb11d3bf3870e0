-- What the check page of a table has shown of each row, by marks: a click carries out that and nothing else.
alter table shipping_batches add column shown text not null default '{"marks":[],"moved":[]}' check (json_valid(shown));
alter table product_imports add column shown text not null default '{"marks":[],"moved":[]}' check (json_valid(shown));
