-- Oldest package that may run beside it: 0.1.0
-- Definitions. Written once and read often; only an update of the definition changes them, so the indices of listings
-- are here.
create table $schema$.tasks (
    task_no bigint generated always as identity primary key,
    id text collate "C" not null unique,
    creation uuid not null,
    created bigint not null,
    revision integer not null,
    app text not null,
    group_name text,
    group_id text,
    user_id text,
    is_periodic boolean not null,
    definition text not null
);

create index tasks_created on $schema$.tasks (created, id);
create index tasks_group on $schema$.tasks (group_name, created, id) where group_name is not null;
create index tasks_group_id on $schema$.tasks (group_id, created, id) where group_id is not null;
create index tasks_user on $schema$.tasks (user_id, created, id) where user_id is not null;

-- States, with the columns that change least often first: an update does not log the unchanged front of a row again.
-- Narrow, and with only a key and partial indices: a task has entries only in the indices of its state. Times are in
-- steps of 100 ns since 1970. due and duty are the manager's next duty for the task, overdue is when its run becomes
-- overdue. No foreign keys: they would lock and look up the definition for every row that is written.
create table $schema$.states (
    task_no bigint primary key,
    created bigint not null,
    max_exec bigint not null,
    bytes bigint not null,
    skipped bigint not null,
    priority integer not null,
    revision integer not null,
    run_no integer not null,
    result_run_no integer not null,
    pass integer not null,
    result_pass integer not null,
    stages integer not null,
    retries integer not null,
    interruptions integer not null,
    wait smallint not null,
    chain smallint not null,
    traits smallint not null,
    enabled boolean not null,
    app text not null,
    job_id text not null,
    result_run text,
    queued_at bigint,
    wait_deadline bigint,
    next_run bigint,
    retry_at bigint,
    occurrence bigint,
    result_bytes bigint not null,
    status_change bigint not null,
    exec_deadline bigint,
    due bigint,
    overdue bigint,
    ended bigint,
    stage integer not null,
    results integer not null,
    exit_code integer,
    report_stage integer,
    state smallint not null,
    duty smallint,
    report_kind smallint,
    claim uuid,
    report_claim uuid,
    executor_id text,
    error text
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

create index states_queue on $schema$.states (app, priority desc, queued_at, task_no) where state = 1 and enabled;
create index states_due on $schema$.states (duty, due, task_no) where duty is not null;
create index states_running on $schema$.states (overdue, task_no) where state = 2 or overdue is not null;
create index states_listed on $schema$.states (state, created, task_no) where state in (0, 3, 4, 6);
create index states_ended on $schema$.states (ended, task_no) where ended is not null;

create table $schema$.results (
    task_no bigint not null,
    run_no integer not null,
    pass integer not null,
    stage integer not null,
    attempt integer not null,
    started bigint not null,
    finished bigint not null,
    claim uuid,
    result text not null,
    primary key (task_no, run_no, pass, stage)
);

create table $schema$.failures (
    task_no bigint not null,
    run_no integer not null,
    pass integer not null,
    stage integer not null,
    attempt integer not null,
    started bigint not null,
    finished bigint not null,
    claim uuid,
    error text not null,
    primary key (task_no, run_no, pass, stage, attempt)
);

-- Runs that have ended and are followed by later ones.
create table $schema$.runs (
    task_no bigint not null,
    run_no integer not null,
    pass integer not null,
    job_id text not null,
    state smallint not null,
    exit_code integer,
    error text,
    retries integer not null,
    occurrence bigint,
    chain smallint not null,
    queued_at bigint,
    ended bigint not null,
    primary key (task_no, run_no)
);

create table $schema$.notifications (
    id bigint generated always as identity primary key,
    task_id text collate "C" not null,
    job_id text not null,
    user_id text,
    state smallint not null,
    is_final boolean not null,
    exit_code integer,
    error text,
    result text not null,
    created bigint not null,
    is_read boolean not null default false,
    is_delivered boolean not null default false
);

create index notifications_task on $schema$.notifications (task_id, id);
create index notifications_user on $schema$.notifications (user_id, id) where user_id is not null;
create index notifications_undelivered on $schema$.notifications (id) where not is_delivered;

create table $schema$.executors (
    id text primary key,
    last_ping bigint not null
);

-- A view for humans; not used by the store.
create view $schema$.overview as
select t.id, t.app, (array['IDLE', 'QUEUED', 'EXECUTED', 'SUSPENDED', 'WAITING', 'FINISHED',
    'FAILED'])[s.state + 1] as status,
    s.stage, s.stages, s.retries, s.interruptions, s.job_id, s.executor_id, s.error, t.group_name, t.group_id,
        t.user_id,
    to_timestamp(t.created / 1e7) as created, to_timestamp(s.status_change / 1e7) as status_change,
    to_timestamp(s.next_run / 1e7) as next_run, to_timestamp(s.exec_deadline / 1e7) as exec_deadline,
    to_timestamp(s.wait_deadline / 1e7) as wait_deadline, to_timestamp(s.retry_at / 1e7) as retry_at
from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no;
