-- Version 41. Due jobs are looked for kind by kind: a lane with free hands does not go through what waits in another.

drop index jobs_due;
create index jobs_due on jobs (kind, run_at) where state = 'waiting';
