-- Oldest package that may run beside it: 0.1.0
-- How often a run was snoozed, and what is used of the budgets for retries, beside the number of all retries of the
-- run.
alter table $prefix$states add column stage_retries integer not null default 0;
alter table $prefix$states add column free_retries integer not null default 0;
alter table $prefix$states add column snoozes integer not null default 0;
-- True if a definition waits for the next run: only the step that queues that run reads it.
alter table $prefix$states add column has_waiting integer not null default 0;
-- What a retry by hand has changed for the present run, as a JSON object.
alter table $prefix$states add column changes text;

-- A definition whose commands, kws and app wait for the next run, and the version of the newest definition.
alter table $prefix$tasks add column waiting text;
alter table $prefix$tasks add column version integer;
