-- An attempt is followed to its end in the version of WeChat Pay's API that made it.
alter table attempts add column api text not null default 'v2' check (api = 'v2' or api = 'v3');

-- What WeChat sent that only the owner can mend: one sentence a kind, gone when it is right again.
create table owner_alerts (
  kind  text primary key,
  at    integer not null,
  words text not null
) strict, without rowid;
