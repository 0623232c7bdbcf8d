-- name: queued
select s.task_no, s.priority, s.queued_at, s.bytes + s.result_bytes from $prefix$states s
where s.state = 1 and s.enabled = 1 and s.hold = 0 and s.app = @app/*except*/
    order by s.priority desc, s.queued_at, s.task_no limit @most

-- The apps that are not paused, without a method; and the methods of held tasks that the executor knows.
-- name: routes
select a.value, null from json_each(@apps) a
where not exists (select 1 from $prefix$pauses p where p.app = a.value and p.method = ''
        and (p.until is null or p.until > @now))
union all
select h.app, h.method from $prefix$holds h
join $prefix$commands c on c.executor_id = @executor and c.app = h.app and c.method = h.method
where h.hold = 1 and h.method <> '' and h.app in (select value from json_each(@apps))
    and not exists (select 1 from $prefix$pauses p where p.app = h.app and p.method = ''
        and (p.until is null or p.until > @now))

-- name: queued_for_some
select s.task_no, s.priority, s.queued_at, s.bytes + s.result_bytes from $prefix$states s
where s.state = 1 and s.enabled = 1 and s.hold > 0 and s.hold = 1 and s.app = @app and s.method = @method/*except*/
    order by s.priority desc, s.queued_at, s.task_no limit @most

-- name: claim
update $prefix$states as s set
    state = 2, hold = 0, executor_id = @executor, claim = @claim, status_change = @now,
        exec_deadline = @now + s.max_exec, overdue = @now + s.max_exec + @grace + 1
where s.task_no = @task_no and s.state = 1 and s.enabled = 1 -- guard: state

-- A separate statement: RETURNING would store its rows in a temporary table, which costs more than reading the row
-- again. It runs before the change: a task that this version cannot read is not claimed.
-- name: claimed
select s.job_id, s.pass, s.retries, s.stage, s.max_exec, s.results, s.result_run_no, s.result_pass, s.app, t.id,
    t.definition, s.queued_at, s.free_retries, s.stage_retries, s.changes
from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no where s.task_no = @task_no

-- A stage that is done, fenced by claim and stage. A task that notifies or starts another one at its end is decided by
-- the lifecycle. Traits: 1 periodic, 2 kept by every clean-up, 4 notifies, 8 starts another one. See
-- docs/decisions/0005.
-- name: record
update $prefix$states as s set
    stage = iif(s.stage < s.stages - 1, s.stage + 1, s.stage),
    results = s.results + 1, result_bytes = s.result_bytes + @bytes, put_backs = 0, stage_retries = 0,
    report_claim = @claim, report_stage = @stage, report_kind = 0,
    state = iif(s.stage < s.stages - 1, s.state, 5),
    executor_id = iif(s.stage < s.stages - 1, s.executor_id, null),
    claim = iif(s.stage < s.stages - 1, s.claim, null),
    overdue = iif(s.stage < s.stages - 1, s.overdue, null),
    status_change = iif(s.stage < s.stages - 1, s.status_change, @now),
    ended = iif(s.stage = s.stages - 1 and s.traits & 3 = 0, @now, null),
    duty = iif(s.stage = s.stages - 1 and s.traits & 1 = 1 and s.enabled = 1, 0, null),
    due = iif(s.stage = s.stages - 1 and s.traits & 1 = 1 and s.enabled = 1, @now, null),
    exit_code = iif(s.stage < s.stages - 1, s.exit_code, 0),
    next_run = iif(s.stage < s.stages - 1 or (s.traits & 1 = 1 and s.next_run > s.occurrence), s.next_run, null),
    retry_at = iif(s.stage < s.stages - 1, s.retry_at, null),
    error = iif(s.stage < s.stages - 1, s.error, null)
where s.task_no = @task_no
    and s.claim = @claim -- guard: claim
    and s.stage = @stage -- guard: stage
    and (s.traits & 12 = 0 or s.stage < s.stages - 1)

-- name: recorded
select s.result_run_no, s.pass, s.retries, s.state, s.traits from $prefix$states s where s.task_no = @task_no

-- Whether an app is paused, or the executor knows a command of held tasks.
-- name: is_routed
select exists (select 1 from $prefix$pauses where app in (select value from json_each(@apps)) and method = '')
or exists (
    select 1 from $prefix$holds h
    join $prefix$commands c on c.executor_id = @executor and c.app = h.app and c.method = h.method
    where h.hold = 1 and h.method <> '' and h.app in (select value from json_each(@apps)))

-- The question of the claim.
-- name: has_queued
select exists (
    select 1 from json_each(@apps) a
    where not exists (select 1 from $prefix$pauses p where p.app = a.value and p.method = ''
            and (p.until is null or p.until > @now))
        and (select s.task_no from $prefix$states s
            where s.state = 1 and s.enabled = 1 and s.hold = 0 and s.app = a.value/*except*/
            order by s.priority desc, s.queued_at, s.task_no limit 1) is not null)
or exists (
    select 1 from $prefix$holds h
    join $prefix$commands c on c.executor_id = @executor and c.app = h.app and c.method = h.method
    where h.hold = 1 and h.method <> '' and h.app in (select value from json_each(@apps))
        and not exists (select 1 from $prefix$pauses p where p.app = h.app and p.method = ''
            and (p.until is null or p.until > @now))
        and (select s.task_no from $prefix$states s where s.state = 1 and s.enabled = 1 and s.hold > 0 and s.hold = 1
            and s.app = h.app and s.method = h.method/*except*/
            order by s.priority desc, s.queued_at, s.task_no limit 1) is not null)

-- name: held_claims
select s.claim from json_each(@ids) i join json_each(@claims) c on c.key = i.key
join $prefix$tasks t on t.id = i.value join $prefix$states s on s.task_no = t.task_no
where s.claim = c.value

-- Served by the index of running tasks: no more rows than all executors have slots.
-- name: stray_claims
select t.id, s.claim from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id = @executor and s.claim not in (select value from json_each(@claims)) limit @most

-- name: set_ping
insert into $prefix$executors (id, last_ping) values (@executor, @ping)
on conflict (id) do update set last_ping = excluded.last_ping

-- name: know_executor
insert into $prefix$executors (id, last_ping) values (@executor, @ping) on conflict (id) do nothing

-- name: delete_executor
delete from $prefix$executors where id = @executor

-- name: list_executors
select id, last_ping from $prefix$executors order by id
