-- A claim needs no fsync: one that a crash of the server loses leaves the task QUEUED, which is right, and its fence is random, so that no
-- later claim has it again. It is a statement and a transaction of its own. MATERIALIZED, so that the limit holds under any plan.
-- name: claim
with relaxed as materialized (select set_config('synchronous_commit', 'off', true)),
queued as materialized (
    select q.* from relaxed, unnest(@apps::text[]) a (app) cross join lateral (
        select s.task_no, s.priority, s.queued_at, s.bytes + s.result_bytes as bytes from $schema$.states s
        where s.app = a.app and s.state = 1 and s.enabled -- guard: state
        order by s.priority desc, s.queued_at, s.task_no limit @most
        for no key update skip locked) q
    order by q.priority desc, q.queued_at, q.task_no limit @most),
counted as materialized (
    select q.task_no, row_number() over w as place, sum(q.bytes) over w as bytes from queued q
    window w as (order by q.priority desc, q.queued_at, q.task_no)),
claimed as (
    update $schema$.states s set
        state = 2, executor_id = @executor, claim = (@claims::uuid[])[c.place], status_change = c.now, exec_deadline = c.now + s.max_exec,
        overdue = c.now + s.max_exec + @grace + 1
    from (select counted.*, $now$ as now from counted where place = 1 or bytes <= @most_bytes) c
    where s.task_no = c.task_no
    returning s.*, c.place, c.now),
known as (
    insert into $schema$.executors (id, last_ping) select @executor, c.now from claimed c where c.place = 1 on conflict (id) do nothing)
select t.definition, s.claim, s.job_id, s.pass, s.retries, s.stage, s.exec_deadline, s.now, case when s.results > 0 then (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = s.task_no and r.run_no = s.result_run_no and r.pass = s.result_pass) end
from claimed s join $schema$.tasks t on t.task_no = s.task_no order by s.place

-- Stages that are done, each fenced by claim and stage and by nothing else: a guard that names the state would let the planner begin
-- with all that is running. A task that starts another one when it ends is left to the way that holds rows and decides.
-- name: record
with done as materialized (
    select r.*, t.task_no, t.user_id, t.is_periodic, t.is_system, t.notify, t.next_task from unnest(
        @place::int[], @task_id::text[], @claim::uuid[], @stage::int[], @result::text[], @bytes::bigint[], @elapsed::bigint[])
        as r (place, task_id, claim, stage, result, bytes, elapsed)
    join $schema$.tasks t on t.id = r.task_id),
recorded as (
    update $schema$.states s set
        stage = case when s.stage < s.stages - 1 then s.stage + 1 else s.stage end,
        results = s.results + 1, result_bytes = s.result_bytes + d.bytes,
        report_claim = d.claim, report_stage = d.stage, report_kind = 0,
        state = case when s.stage < s.stages - 1 then s.state else 5 end,
        executor_id = case when s.stage < s.stages - 1 then s.executor_id end,
        claim = case when s.stage < s.stages - 1 then s.claim end,
        overdue = case when s.stage < s.stages - 1 then s.overdue end,
        status_change = case when s.stage < s.stages - 1 then s.status_change else d.now end,
        ended = case when s.stage < s.stages - 1 or d.is_periodic or d.is_system then null else d.now end,
        duty = case when s.stage = s.stages - 1 and d.is_periodic and s.enabled then 0 end,
        due = case when s.stage = s.stages - 1 and d.is_periodic and s.enabled then d.now end,
        exit_code = case when s.stage < s.stages - 1 then s.exit_code else 0 end,
        next_run = case when s.stage < s.stages - 1 then s.next_run end,
        retry_at = case when s.stage < s.stages - 1 then s.retry_at end,
        error = case when s.stage < s.stages - 1 then s.error end
    from (select done.*, $now$ as now from done) d
    where s.task_no = d.task_no
        and s.claim = d.claim -- guard: claim
        and s.stage = d.stage -- guard: stage
        and (d.next_task is null or s.stage < s.stages - 1)
    returning s.task_no, s.result_run_no, s.pass, s.job_id, s.retries, s.state, d.place, d.task_id, d.stage, d.claim, d.result, d.elapsed, d.now,
        d.user_id, d.notify, d.is_periodic),
stored as (
    insert into $schema$.results (task_no, run_no, pass, stage, attempt, started, finished, claim, result)
    select task_no, result_run_no, pass, stage, retries + 1, now - elapsed, now, claim, result from recorded),
notified as (
    insert into $schema$.notifications (task_id, job_id, user_id, state, is_final, exit_code, result, created)
    select r.task_id, r.job_id, r.user_id, 5, true, 0, '[' || coalesce((
        select string_agg(b.result, ',' order by b.stage) || ','
        from $schema$.results b where b.task_no = r.task_no and b.run_no = r.result_run_no and b.pass = r.pass), '') || r.result || ']', r.now
    from recorded r where r.state = 5 and r.notify)
select place, task_id, state, notify, is_periodic from recorded

-- name: has_queued
select exists (
    select 1 from unnest(@apps::text[]) a (app) where exists (
        select 1 from $schema$.states s where s.state = 1 and s.enabled and s.app = a.app))

-- name: held_claims
select s.claim from unnest(@ids::text[], @claims::uuid[]) c (id, claim)
join $schema$.tasks t on t.id = c.id join $schema$.states s on s.task_no = t.task_no
where s.claim = c.claim

-- name: set_ping
insert into $schema$.executors (id, last_ping) values (@executor, @ping)
on conflict (id) do update set last_ping = excluded.last_ping

-- name: ping
insert into $schema$.executors (id, last_ping) values (@executor, $now$)
on conflict (id) do update set last_ping = excluded.last_ping

-- name: know_executor
insert into $schema$.executors (id, last_ping) values (@executor, @ping) on conflict (id) do nothing

-- name: delete_executor
delete from $schema$.executors where id = @executor

-- name: list_executors
select id, last_ping from $schema$.executors order by id
