-- What goods cost the shop: with the SKU as it is now, with the line as it was when it was ordered. None where nobody said.
alter table skus add column cost_fen integer check (cost_fen >= 0);
alter table order_lines add column cost_fen integer check (cost_fen >= 0);

-- What came back and what was given back, by day: pieces that are back with the shop cost it nothing.
create index stock_moves_back on stock_moves (at) where reason = 'release' or reason = 'return';
create index refunds_ended on refunds (ended_at) where state = 'succeeded';
