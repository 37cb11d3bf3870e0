-- Version 8: how many pieces of a product one buyer may have, over all orders that still stand.
alter table products add column limit_per_buyer integer check (limit_per_buyer > 0);
