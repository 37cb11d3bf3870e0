-- Version 57. What a piece that was sent again has cost, in fen: in exchange it may be another than was bought.

alter table resend_lines add column cost_fen integer check (cost_fen >= 0);
update resend_lines
   set cost_fen = (select iif(s.id = l.sku_id, l.cost_fen, s.cost_fen)
                     from order_lines l, skus s where l.id = resend_lines.line_id and s.id = resend_lines.sku_id);
