-- Oldest package that may run beside it: 0.1.0
-- Which executors know which commands, and which queued tasks are held therefore. The new columns of a state are at its
-- end: an update does not log an unchanged end of a row again.
alter table $schema$.states
    add column hold smallint not null default 0,
    add column put_backs smallint not null default 0,
    add column method text;

create index states_queued on $schema$.states (app, priority desc, queued_at, task_no)
    where state = 1 and enabled and hold = 0;
create index states_held on $schema$.states (hold, app, method, priority desc, queued_at, task_no)
    where state = 1 and enabled and hold > 0;
drop index $schema$.states_queue;

-- What executors have announced. A row of commands with an empty method stands for the announcement for that app.
create table $schema$.announcements (
    executor_id text primary key,
    version text,
    host text,
    announced bigint not null
);

create table $schema$.commands (
    executor_id text not null,
    app text not null,
    method text not null,
    primary key (executor_id, app, method)
);

-- An empty app stands for all apps, an empty method for the whole app.
create table $schema$.pauses (
    app text not null,
    method text not null,
    reason text,
    until bigint,
    since bigint not null,
    actor text,
    primary key (app, method)
);

-- The holds that follow from announcements and pauses. The most specific row counts, and 0 without a row.
create table $schema$.holds (
    app text not null,
    method text not null,
    hold smallint not null,
    primary key (app, method)
);

create index holds_shared on $schema$.holds (app, method) where hold = 1 and method <> '';

-- One row. It is held while holds are decided, and has the place up to which the common queue was looked through.
create table $schema$.routing (
    id smallint primary key check (id = 1),
    is_changed boolean not null,
    app text not null,
    priority integer not null,
    queued_at bigint not null,
    task_no bigint not null
);

insert into $schema$.routing values (1, false, '', 0, 0, 0);
