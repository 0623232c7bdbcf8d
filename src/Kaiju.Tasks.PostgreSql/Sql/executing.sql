-- A claim needs no fsync: if the server crashes and loses it, the task is QUEUED again, which is correct. Its fence is
-- random, so that no later claim equals it. It is a statement and a transaction of its own. MATERIALIZED, so that
-- the limit holds under any plan, and the time is read once. The routed part looks at pauses and at held tasks that
-- this executor knows; it would cost each claim as much planning as the rest.
-- name: claim
with relaxed as materialized (select set_config('synchronous_commit', 'off', true), $now$ as now),
queued as materialized (
    select q.* from relaxed r, unnest(@apps::text[]) a (app) cross join lateral (
        select s.task_no, s.priority, s.queued_at, least(s.bytes + s.result_bytes, 1000000000)::int as bytes
            from $schema$.states s
        where s.app = a.app/*except*/ and s.state = 1 and s.enabled and s.hold = 0 -- guard: state
        order by s.priority desc, s.queued_at, s.task_no limit @most
        for no key update skip locked) q
    /*routed: where not exists (select 1 from $schema$.pauses p where p.app = a.app and p.method = ''
        and (p.until is null or p.until > r.now))
    union all
    select q.* from relaxed r, $schema$.holds h
    join $schema$.commands c on c.executor_id = @executor and c.app = h.app and c.method = h.method
    cross join lateral (
        select s.task_no, s.priority, s.queued_at, least(s.bytes + s.result_bytes, 1000000000)::int as bytes
            from $schema$.states s
        where s.hold = 1 and s.hold > 0 and s.app = h.app and s.method = h.method and s.state = 1 and s.enabled
            and s.task_no <> all(@except::bigint[])
        order by s.priority desc, s.queued_at, s.task_no limit @most
        for no key update skip locked) q
    where h.hold = 1 and h.method <> '' and h.app = any(@apps)
        and not exists (select 1 from $schema$.pauses p where p.app = h.app and p.method = ''
            and (p.until is null or p.until > r.now)) */
    order by priority desc, queued_at, task_no limit @most),
counted as materialized (
    select q.task_no, row_number() over w as place, sum(q.bytes) over w as bytes from queued q
    window w as (order by q.priority desc, q.queued_at, q.task_no)),
claimed as (
    update $schema$.states s set
        state = 2, hold = 0, executor_id = @executor, claim = gen_random_uuid(), status_change = n.now,
            exec_deadline = n.now + s.max_exec,
        overdue = n.now + s.max_exec + @grace + 1
    from counted c cross join (select now from relaxed) n
    where s.task_no = c.task_no and (c.place = 1 or c.bytes <= @most_bytes)
    returning s.task_no, s.claim, s.job_id, s.pass, s.retries, s.stage, s.queued_at, s.exec_deadline, s.max_exec,
        s.results, s.result_run_no, s.result_pass, s.free_retries, s.stage_retries, s.changes,
        c.place, n.now),
known as (
    insert into $schema$.executors (id, last_ping) select @executor, c.now from claimed c where c.place = 1
        on conflict (id) do nothing)
select t.definition, s.claim, s.job_id, s.pass, s.retries, s.stage, s.exec_deadline, s.max_exec,
    case when s.results > 0 then (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = s.task_no and r.run_no = s.result_run_no and r.pass = s.result_pass) end,
        t.id, t.app, s.task_no, s.queued_at, s.free_retries, s.stage_retries, s.changes
from claimed s join $schema$.tasks t on t.task_no = s.task_no order by s.place

-- Stages that are done, each fenced by claim and stage only: with a guard on the state the planner might start from
-- all running tasks. A task that starts another one at its end is decided while its row is held. Traits: 1 periodic,
-- 2 kept by every clean-up, 4 notifies, 8 starts another one. A batch that met a held row is repeated as record_free,
-- which first holds the free rows. See docs/decisions/0005.
-- name: record
with clock as materialized (select $now$ as now$limit$),
recorded as (
    update $schema$.states s set
        stage = case when s.stage < s.stages - 1 then s.stage + 1 else s.stage end,
        results = s.results + 1, result_bytes = s.result_bytes + d.bytes, put_backs = 0,
        stage_retries = 0,
        report_claim = d.claim, report_stage = d.stage, report_kind = 0,
        state = case when s.stage < s.stages - 1 then s.state else 5 end,
        executor_id = case when s.stage < s.stages - 1 then s.executor_id end,
        claim = case when s.stage < s.stages - 1 then s.claim end,
        overdue = case when s.stage < s.stages - 1 then s.overdue end,
        status_change = case when s.stage < s.stages - 1 then s.status_change else n.now end,
        ended = case when s.stage = s.stages - 1 and s.traits & 3 = 0 then n.now end,
        duty = case when s.stage = s.stages - 1 and s.traits & 1 = 1 and s.enabled then 0 end,
        due = case when s.stage = s.stages - 1 and s.traits & 1 = 1 and s.enabled then n.now end,
        exit_code = case when s.stage < s.stages - 1 then s.exit_code else 0 end,
        next_run = case when s.stage < s.stages - 1 or (s.traits & 1 = 1 and s.next_run > s.occurrence)
            then s.next_run end,
        retry_at = case when s.stage < s.stages - 1 then s.retry_at end,
        error = case when s.stage < s.stages - 1 then s.error end
    from unnest(@place::int[], @task_no::bigint[], @claim::uuid[], @stage::int[], @result::text[], @bytes::bigint[],
        @elapsed::bigint[])
        as d (place, task_no, claim, stage, result, bytes, elapsed) cross join clock n
        /*free: join (
            with h as materialized (
                select h.task_no from $schema$.states h where h.task_no = any(@task_no)
                    order by h.task_no for no key update skip locked)
            select h.task_no from h) f on f.task_no = d.task_no */
    where s.task_no = d.task_no
        and s.claim = d.claim -- guard: claim
        and s.stage = d.stage -- guard: stage
        and (s.traits & 8 = 0 or s.stage < s.stages - 1)
    returning s.task_no, s.result_run_no, s.pass, s.job_id, s.retries, s.state, s.traits, d.place, d.stage, d.claim,
        d.result, d.elapsed, n.now),
stored as (
    insert into $schema$.results (task_no, run_no, pass, stage, attempt, started, finished, claim, result)
    select task_no, result_run_no, pass, stage, retries + 1, now - elapsed, now, claim, result from recorded),
notified as (
    insert into $schema$.notifications (task_id, job_id, user_id, state, is_final, exit_code, result, created)
    select t.id, r.job_id, t.user_id, 5, true, 0, '[' || coalesce((
        select string_agg(b.result, ',' order by b.stage) || ','
        from $schema$.results b where b.task_no = r.task_no and b.run_no = r.result_run_no and b.pass = r.pass),
            '') || r.result || ']', r.now
    from recorded r join $schema$.tasks t on t.task_no = r.task_no where r.state = 5 and r.traits & 4 = 4)
select place, state, traits from recorded

-- Whether an app is paused, or the executor knows a command of held tasks.
-- name: is_routed
select exists (select 1 from $schema$.pauses where app = any(@apps) and method = '')
or exists (
    select 1 from $schema$.holds h
    join $schema$.commands c on c.executor_id = @executor and c.app = h.app and c.method = h.method
    where h.hold = 1 and h.method <> '' and h.app = any(@apps))

-- The question of the claim.
-- name: has_queued
select exists (
    select 1 from unnest(@apps::text[]) a (app)
    where not exists (select 1 from $schema$.pauses p where p.app = a.app and p.method = ''
            and (p.until is null or p.until > $now$))
        and exists (select 1 from $schema$.states s
            where s.state = 1 and s.enabled and s.hold = 0 and s.app = a.app/*except*/))
or exists (
    select 1 from $schema$.holds h
    join $schema$.commands c on c.executor_id = @executor and c.app = h.app and c.method = h.method
    where h.hold = 1 and h.method <> '' and h.app = any(@apps)
        and not exists (select 1 from $schema$.pauses p where p.app = h.app and p.method = ''
            and (p.until is null or p.until > $now$))
        and exists (select 1 from $schema$.states s where s.hold = 1 and s.app = h.app and s.method = h.method
            and s.state = 1 and s.enabled and s.hold > 0/*except*/))

-- name: held_claims
select s.claim from unnest(@ids::text[], @claims::uuid[]) c (id, claim)
join $schema$.tasks t on t.id = c.id join $schema$.states s on s.task_no = t.task_no
where s.claim = c.claim

-- Served by the index of running tasks: no more rows than all executors have slots.
-- name: stray_claims
select t.id, s.claim from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id = @executor and not s.claim = any(@claims::uuid[]) limit @most

-- name: set_ping
insert into $schema$.executors (id, last_ping) values (@executor, @ping)
on conflict (id) do update set last_ping = excluded.last_ping

-- name: ping
$limited$insert into $schema$.executors (id, last_ping) select @executor, $now$$from_limit$
on conflict (id) do update set last_ping = excluded.last_ping

-- name: know_executor
insert into $schema$.executors (id, last_ping) values (@executor, @ping) on conflict (id) do nothing

-- An executor that still holds a task stays known: another transaction held that task, and a manager expels it later.
-- name: delete_executor
delete from $schema$.executors where id = @executor
and not exists (select 1 from $schema$.states s where s.state = 2 and s.executor_id = @executor)

-- name: held_by
select s.claim from $schema$.states s where s.state = 2 and s.executor_id = @executor

-- name: list_executors
select id, last_ping from $schema$.executors order by id
