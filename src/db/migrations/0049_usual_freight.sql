-- Whether a draft's freight is the shop's usual one, which the buyer's address decides, or was agreed on.
alter table drafts add column usual_freight integer not null default 0 check (usual_freight in (0, 1));
