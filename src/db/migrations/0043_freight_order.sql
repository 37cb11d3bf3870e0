-- Orders stand by what their way cost, those that went for nothing behind them by their age.
create index orders_freight on orders (freight_fen) where freight_fen > 0;
