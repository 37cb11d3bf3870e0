-- Version 56. As which SKU the pieces of a refund came back, where its buyer has several and staff say which.

alter table refund_lines add column came_as integer references skus (id);
