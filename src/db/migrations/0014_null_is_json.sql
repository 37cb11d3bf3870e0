-- json_valid(null) is null in today's SQLite and 0 in that of older systems, whose tools called a sound shop broken.
-- The text of the rule is all that changes; every row keeps it. Source: ALTER TABLE, "Making Other Kinds Of Table Schema Changes".
pragma writable_schema = on;
update sqlite_schema set sql = replace(sql, 'check (json_valid(params))', 'check (params is null or json_valid(params))')
 where type = 'table' and name = 'refunds';
update sqlite_schema set sql = replace(sql, 'check (json_valid(address))', 'check (address is null or json_valid(address))')
 where type = 'table' and name = 'orders';
pragma writable_schema = reset;
