-- Version 21. What an event of an order's timeline is about, told by whoever writes it.

alter table order_events add column topic text not null default 'order' check (topic = 'money' or topic = 'goods' or topic = 'order');

-- Those that were written before had to be told apart by their words: here, once, and never again.
drop trigger order_events_no_update;
update order_events set topic = case
    when what like '发货信息%' then 'goods'
    when message_id is not null then 'money'
    when what like '内部备注：%' or what like '备注改为%' then 'order'
    when what like '%¥%' or what like '%支付%' or what like '%退款%' or what like '%付款%' or what like '%收款%' then 'money'
    when what like '%发货%' or what like '%包裹%' or what like '%单号%' or what like '%收货%' or what like '%库存%' then 'goods'
    else 'order'
  end;
create trigger order_events_no_update before update on order_events begin select raise(abort, 'the timeline is append-only'); end;
