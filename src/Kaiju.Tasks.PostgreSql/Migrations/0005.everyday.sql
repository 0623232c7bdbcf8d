-- Oldest package that may run beside it: 0.1.0
-- How often a run was snoozed, and what is used of the budgets for retries, beside the number of all retries of the
-- run. The columns are at the end of a row, with most others that seldom change: an update does not log an unchanged
-- end of a row again.
alter table $schema$.states
    add column stage_retries integer not null default 0,
    add column free_retries integer not null default 0,
    add column snoozes integer not null default 0,
    -- True if a definition waits for the next run: only the step that queues that run reads it.
    add column has_waiting boolean not null default false,
    -- What a retry by hand has changed for the present run, as a JSON object.
    add column changes text;

-- A definition whose commands, kws and app wait for the next run, and the version of the newest definition.
alter table $schema$.tasks
    add column waiting text,
    add column version bigint;
