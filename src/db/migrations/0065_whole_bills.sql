-- Version 65. Whether a bill was read whole: only then does it tell what went back by what it does not name.

alter table bill_parts add column whole integer not null default 0 check (whole in (0, 1));
