-- Oldest package that may run beside it: 0.1.0
-- How often a run was snoozed, and what is used of the budgets for retries, beside the number of all retries of the
-- run. The columns are at the end of a row, with most others that seldom change: an update does not log an unchanged
-- end of a row again.
alter table $schema$.states
    add column stage_retries integer not null default 0,
    add column free_retries integer not null default 0,
    add column snoozes integer not null default 0,
    -- What a retry by hand has changed for the present run, as a JSON object.
    add column changes text;
