-- What happened to an order, when and by whom stays; the words that were said of its buyer may go with his data.
drop trigger order_events_no_update;
create trigger order_events_no_update before update on order_events
  when new.id <> old.id or new.order_id <> old.order_id or new.at <> old.at or new.topic <> old.topic
    or new.actor <> old.actor or new.actor_name <> old.actor_name or new.from_status is not old.from_status
    or new.to_status is not old.to_status or new.message_id is not old.message_id
    or not exists (select 1 from orders o join buyers b on b.id = o.buyer_id
                    where o.id = old.order_id and b.erased_at is not null) begin
  select raise(abort, 'the timeline is append-only');
end;

-- The same of why something was sent once more.
drop trigger stock_moves_no_update;
create trigger stock_moves_no_update before update on stock_moves
  when new.id <> old.id or new.sku_id <> old.sku_id or new.at <> old.at or new.reason <> old.reason
    or new.on_hand_delta <> old.on_hand_delta or new.reserved_delta <> old.reserved_delta
    or new.line_id is not old.line_id or new.staff_id is not old.staff_id
    or not exists (select 1 from order_lines l join orders o on o.id = l.order_id join buyers b on b.id = o.buyer_id
                    where l.id = old.line_id and b.erased_at is not null) begin
  select raise(abort, 'stock moves are append-only');
end;
