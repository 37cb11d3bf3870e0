-- Version 61. Payments by the end of WeChat's number, which is as much of it as people read out.

create index attempts_tail on attempts (substr(transaction_id, -4)) where transaction_id is not null;
