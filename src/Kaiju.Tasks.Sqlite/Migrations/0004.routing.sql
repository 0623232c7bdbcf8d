-- Oldest package that may run beside it: 0.1.0
-- Which executors know which commands, and which queued tasks are held therefore.
alter table $prefix$states add column hold integer not null default 0;
alter table $prefix$states add column put_backs integer not null default 0;
alter table $prefix$states add column method text;

create index $prefix$states_queued on $prefix$states (app, priority desc, queued_at, task_no)
    where state = 1 and enabled = 1 and hold = 0;
create index $prefix$states_held on $prefix$states (hold, app, method, priority desc, queued_at, task_no)
    where state = 1 and enabled = 1 and hold > 0;
drop index $prefix$states_queue;

-- What executors have announced. A row of commands with an empty method stands for the announcement for that app.
create table $prefix$announcements (
    executor_id text primary key,
    version text,
    host text,
    announced integer not null
) strict;

create table $prefix$commands (
    executor_id text not null,
    app text not null,
    method text not null,
    primary key (executor_id, app, method)
) strict;

-- An empty app stands for all apps, an empty method for the whole app.
create table $prefix$pauses (
    app text not null,
    method text not null,
    reason text,
    until integer,
    since integer not null,
    actor text,
    primary key (app, method)
) strict;

-- The holds that follow from announcements and pauses. The most specific row counts, and 0 without a row.
create table $prefix$holds (
    app text not null,
    method text not null,
    hold integer not null,
    primary key (app, method)
) strict;

create index $prefix$holds_shared on $prefix$holds (app, method) where hold = 1 and method <> '';

-- One row, with the place up to which the common queue was looked through.
create table $prefix$routing (
    id integer primary key check (id = 1),
    is_changed integer not null,
    app text not null,
    priority integer not null,
    queued_at integer not null,
    task_no integer not null
) strict;

insert into $prefix$routing values (1, 0, '', 0, 0, 0);
