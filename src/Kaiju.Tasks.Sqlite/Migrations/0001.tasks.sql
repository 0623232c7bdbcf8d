-- Oldest package that may run beside it: 0.1.0
-- Definitions. Written once and read often; only an update of the definition changes them, so the indices of listings
-- are here.
create table $prefix$tasks (
    task_no integer primary key,
    id text not null unique,
    creation text not null,
    created integer not null,
    revision integer not null,
    app text not null,
    group_name text,
    group_id text,
    user_id text,
    is_periodic integer not null,
    definition text not null
) strict;

create index $prefix$tasks_created on $prefix$tasks (created, id);
create index $prefix$tasks_group on $prefix$tasks (group_name, created, id) where group_name is not null;
create index $prefix$tasks_group_id on $prefix$tasks (group_id, created, id) where group_id is not null;
create index $prefix$tasks_user on $prefix$tasks (user_id, created, id) where user_id is not null;

-- States. Narrow, and with partial indices only: a task has entries only in the indices of its state. Times are in
-- steps of 100 ns since 1970. due and duty are the manager's next duty for the task, overdue is when its run becomes
-- overdue.
create table $prefix$states (
    task_no integer primary key,
    app text not null,
    priority integer not null,
    enabled integer not null,
    stages integer not null,
    traits integer not null,
    max_exec integer not null,
    created integer not null,
    bytes integer not null,
    revision integer not null,
    run_no integer not null,
    result_run_no integer not null,
    results integer not null,
    result_bytes integer not null,
    state integer not null,
    stage integer not null,
    job_id text not null,
    pass integer not null,
    result_run text,
    result_pass integer not null,
    retries integer not null,
    interruptions integer not null,
    queued_at integer,
    exec_deadline integer,
    wait integer not null,
    wait_deadline integer,
    next_run integer,
    retry_at integer,
    status_change integer not null,
    executor_id text,
    claim text,
    report_claim text,
    report_stage integer,
    report_kind integer,
    exit_code integer,
    error text,
    occurrence integer,
    skipped integer not null,
    chain integer not null,
    duty integer,
    due integer,
    overdue integer,
    ended integer
) strict;

create index $prefix$states_queue on $prefix$states (app, priority desc, queued_at, task_no) where state = 1
    and enabled = 1;
create index $prefix$states_due on $prefix$states (duty, due, task_no) where duty is not null;
create index $prefix$states_running on $prefix$states (overdue, task_no) where state = 2 or overdue is not null;
create index $prefix$states_listed on $prefix$states (state, created, task_no) where state in (0, 3, 4, 6);
create index $prefix$states_ended on $prefix$states (ended, task_no) where ended is not null;

create table $prefix$results (
    task_no integer not null,
    run_no integer not null,
    pass integer not null,
    stage integer not null,
    attempt integer not null,
    started integer not null,
    finished integer not null,
    claim text,
    result text not null,
    primary key (task_no, run_no, pass, stage)
) strict;

create table $prefix$failures (
    task_no integer not null,
    run_no integer not null,
    pass integer not null,
    stage integer not null,
    attempt integer not null,
    started integer not null,
    finished integer not null,
    claim text,
    error text not null,
    primary key (task_no, run_no, pass, stage, attempt)
) strict;

-- Runs that have ended and are followed by later ones.
create table $prefix$runs (
    task_no integer not null,
    run_no integer not null,
    pass integer not null,
    job_id text not null,
    state integer not null,
    exit_code integer,
    error text,
    retries integer not null,
    occurrence integer,
    chain integer not null,
    queued_at integer,
    ended integer not null,
    primary key (task_no, run_no)
) strict;

create table $prefix$notifications (
    id integer primary key autoincrement,
    task_id text not null,
    job_id text not null,
    user_id text,
    state integer not null,
    is_final integer not null,
    exit_code integer,
    error text,
    result text not null,
    created integer not null,
    is_read integer not null default 0,
    is_delivered integer not null default 0
) strict;

create index $prefix$notifications_task on $prefix$notifications (task_id, id);
create index $prefix$notifications_user on $prefix$notifications (user_id, id) where user_id is not null;
create index $prefix$notifications_undelivered on $prefix$notifications (id) where is_delivered = 0;

create table $prefix$executors (
    id text primary key,
    last_ping integer not null
) strict;
