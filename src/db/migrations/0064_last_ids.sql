-- Version 64. Pages, phones and other rows hold a number for longer than its row may live: none of these numbers is given twice.

create table last_ids (
  of text primary key,
  id integer not null
) strict, without rowid;

create trigger categories_gone after delete on categories begin
  insert into last_ids (of, id) values ('categories', old.id) on conflict (of) do update set id = max(id, excluded.id);
end;

create trigger addresses_gone after delete on addresses begin
  insert into last_ids (of, id) values ('addresses', old.id) on conflict (of) do update set id = max(id, excluded.id);
end;

create trigger invoices_gone after delete on invoices begin
  insert into last_ids (of, id) values ('invoices', old.id) on conflict (of) do update set id = max(id, excluded.id);
end;

create trigger photos_gone after delete on photos begin
  insert into last_ids (of, id) values ('photos', old.id) on conflict (of) do update set id = max(id, excluded.id);
end;

create trigger freight_templates_gone after delete on freight_templates begin
  insert into last_ids (of, id) values ('freight_templates', old.id) on conflict (of) do update set id = max(id, excluded.id);
end;

create trigger hooks_gone after delete on hooks begin
  insert into last_ids (of, id) values ('hooks', old.id) on conflict (of) do update set id = max(id, excluded.id);
end;

create trigger backups_gone after delete on backups begin
  insert into last_ids (of, id) values ('backups', old.id) on conflict (of) do update set id = max(id, excluded.id);
end;
