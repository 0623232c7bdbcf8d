-- Oldest package that may run beside it: 0.1.0
-- What is used of the budgets for retries, beside the number of all retries of the run. At the end of a row, with most
-- other columns that seldom change: an update does not log an unchanged end of a row again.
alter table $schema$.states
    add column stage_retries smallint not null default 0,
    add column free_retries integer not null default 0;
