-- name: load_by_ids
$limited$select $held$, s.revision from $limits$$schema$.tasks t join $schema$.states s on s.task_no = t.task_no
where t.id = any(@ids) order by t.id for no key update of s

-- The tasks of these that nobody else holds, held from now on, with the ids of the tasks that they start.
-- name: hold_free
$limited$select t.id, case when s.traits & 8 = 8 then t.definition::json ->> 'next_task' end
from $limits$$schema$.tasks t join $schema$.states s on s.task_no = t.task_no
where t.id = any(@ids) order by t.id for no key update of s skip locked

-- As they were committed last, without holding them.
-- name: find_by_ids
select $held$, s.revision from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no where t.id = any(@ids)

-- name: find_states
select t.id, s.state from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no where t.id = any(@ids)

-- name: ended
select s.task_no, t.id from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.ended < @before order by s.ended, s.task_no limit @most for update of s, t skip locked

-- name: find_tasks
select task_no from $schema$.tasks where task_no = any(@tasks)

-- name: find_creation
select task_no from $schema$.tasks where task_no = any(@tasks) and creation = @creation

-- New tasks whose ids are unknown, in one statement and one transaction. Their times are counted from now on. Not ON CONFLICT, which writes
-- each row twice: an id that becomes known at this very moment fails the statement, and each call is then carried out by itself.
-- Others hear of it in the same commit if the statement is given what to say; the row of that is without an id.
-- name: create
with clock as materialized (select $now$ as now$limit$),
n as materialized (
    select n.*, c.now from clock c, unnest(
        @id::text[], @creation::uuid[], @app::text[], @group_name::text[], @group_id::text[], @user_id::text[], @is_periodic::bool[],
        @definition::text[], @priority::int[], @enabled::bool[], @stages::int[], @traits::int[], @max_exec::bigint[], @bytes::bigint[],
        @state::int[], @job_id::text[], @queued_at::bigint[], @exec_deadline::bigint[], @next_run::bigint[], @duty::int[], @due::bigint[],
        @overdue::bigint[]) with ordinality
    as n (
        id, creation, app, group_name, group_id, user_id, is_periodic, definition, priority, enabled, stages, traits, max_exec, bytes, state,
        job_id, queued_at, exec_deadline, next_run, duty, due, overdue, place)),
t as (
    insert into $schema$.tasks (id, creation, created, revision, app, group_name, group_id, user_id, is_periodic, definition)
    select n.id, n.creation, n.now, 0, n.app, n.group_name, n.group_id, n.user_id, n.is_periodic, n.definition from n
    where (select k.task_no from $schema$.tasks k where k.id = n.id) is null order by n.place returning id, task_no),
s as (
    insert into $schema$.states (
        task_no, app, priority, enabled, stages, traits, max_exec, created, bytes, revision, run_no, result_run_no, results, result_bytes, state,
        stage, job_id, pass, result_pass, retries, interruptions, queued_at, exec_deadline, wait, next_run, status_change, skipped, chain, duty,
        due, overdue)
    select
        t.task_no, n.app, n.priority, n.enabled, n.stages, n.traits, n.max_exec, n.now, n.bytes, 0, 1, 1, 0, 0, n.state,
        0, n.job_id, 0, 0, 0, 0, n.now + n.queued_at, n.now + n.exec_deadline, 0, n.now + n.next_run,
        n.now, 0, 0, n.duty, n.now + n.due, n.now + n.overdue
    from t join n on n.id = t.id)
select t.id from t union all select nullif(pg_notify(@channel, @told)::text, '') where @told <> '' and exists (select 1 from t)

-- name: insert_tasks
insert into $schema$.tasks (
    id, creation, created, revision, app, group_name, group_id, user_id, is_periodic, definition)
select
    n.id, n.creation, n.created, n.revision, n.app, n.group_name, n.group_id, n.user_id, n.is_periodic, n.definition
from unnest(
        @id::text[], @creation::uuid[], @created::bigint[], @revision::int[], @app::text[], @group_name::text[], @group_id::text[], @user_id::text[],
        @is_periodic::bool[], @definition::text[]) with ordinality
    as n (
        id, creation, created, revision, app, group_name, group_id, user_id, is_periodic, definition, place)
order by n.place on conflict (id) do nothing returning id, task_no

-- name: insert_states
insert into $schema$.states (
    task_no, app, priority, enabled, stages, traits, max_exec, created, bytes, revision, run_no, result_run_no, results, result_bytes, state, stage, job_id,
    pass, result_run, result_pass, retries, interruptions, queued_at, exec_deadline, wait, wait_deadline, next_run, retry_at, status_change,
    executor_id, claim, report_claim, report_stage, report_kind, exit_code, error, occurrence, skipped, chain, duty, due, overdue, ended)
select
    task_no, app, priority, enabled, stages, traits, max_exec, created, bytes, revision, run_no, result_run_no, results, result_bytes, state, stage, job_id,
    pass, result_run, result_pass, retries, interruptions, queued_at, exec_deadline, wait, wait_deadline, next_run, retry_at, status_change,
    executor_id, claim, report_claim, report_stage, report_kind, exit_code, error, occurrence, skipped, chain, duty, due, overdue, ended
from unnest(
        @task_no::bigint[], @app::text[], @priority::int[], @enabled::bool[], @stages::int[], @traits::int[], @max_exec::bigint[], @created::bigint[],
        @bytes::bigint[], @revision::int[], @run_no::int[], @result_run_no::int[], @results::int[], @result_bytes::bigint[], @state::int[],
        @stage::int[], @job_id::text[], @pass::int[], @result_run::text[], @result_pass::int[], @retries::int[], @interruptions::int[],
        @queued_at::bigint[], @exec_deadline::bigint[], @wait::int[], @wait_deadline::bigint[], @next_run::bigint[], @retry_at::bigint[],
        @status_change::bigint[], @executor_id::text[], @claim::uuid[], @report_claim::uuid[], @report_stage::int[], @report_kind::int[],
        @exit_code::int[], @error::text[], @occurrence::bigint[], @skipped::bigint[], @chain::int[], @duty::int[], @due::bigint[], @overdue::bigint[],
        @ended::bigint[])
    as n (
        task_no, app, priority, enabled, stages, traits, max_exec, created, bytes, revision, run_no, result_run_no, results, result_bytes, state, stage,
        job_id, pass, result_run, result_pass, retries, interruptions, queued_at, exec_deadline, wait, wait_deadline, next_run, retry_at,
        status_change, executor_id, claim, report_claim, report_stage, report_kind, exit_code, error, occurrence, skipped, chain, duty, due, overdue,
        ended)

-- name: update_definitions
update $schema$.tasks t set
    revision = n.revision, app = n.app, group_name = n.group_name, group_id = n.group_id, user_id = n.user_id, is_periodic = n.is_periodic, definition = n.definition
from unnest(
        @id::text[], @revision::int[], @app::text[], @group_name::text[], @group_id::text[], @user_id::text[], @is_periodic::bool[], @definition::text[])
    as n (
        id, revision, app, group_name, group_id, user_id, is_periodic, definition)
where t.id = n.id

-- name: update_states
update $schema$.states s set
    app = n.app, priority = n.priority, enabled = n.enabled, stages = n.stages, traits = n.traits, max_exec = n.max_exec, bytes = n.bytes, revision = n.revision, run_no
    = n.run_no, result_run_no = n.result_run_no, results = n.results, result_bytes = n.result_bytes, state = n.state, stage = n.stage, job_id =
    n.job_id, pass = n.pass, result_run = n.result_run, result_pass = n.result_pass, retries = n.retries, interruptions = n.interruptions, queued_at =
    n.queued_at, exec_deadline = n.exec_deadline, wait = n.wait, wait_deadline = n.wait_deadline, next_run = n.next_run, retry_at = n.retry_at,
    status_change = n.status_change, executor_id = n.executor_id, claim = n.claim, report_claim = n.report_claim, report_stage = n.report_stage,
    report_kind = n.report_kind, exit_code = n.exit_code, error = n.error, occurrence = n.occurrence, skipped = n.skipped, chain = n.chain, duty =
    n.duty, due = n.due, overdue = n.overdue, ended = n.ended
from unnest(
        @task_no::bigint[], @app::text[], @priority::int[], @enabled::bool[], @stages::int[], @traits::int[], @max_exec::bigint[], @bytes::bigint[], @revision::int[],
        @run_no::int[], @result_run_no::int[], @results::int[], @result_bytes::bigint[], @state::int[], @stage::int[], @job_id::text[], @pass::int[],
        @result_run::text[], @result_pass::int[], @retries::int[], @interruptions::int[], @queued_at::bigint[], @exec_deadline::bigint[],
        @wait::int[], @wait_deadline::bigint[], @next_run::bigint[], @retry_at::bigint[], @status_change::bigint[], @executor_id::text[],
        @claim::uuid[], @report_claim::uuid[], @report_stage::int[], @report_kind::int[], @exit_code::int[], @error::text[], @occurrence::bigint[],
        @skipped::bigint[], @chain::int[], @duty::int[], @due::bigint[], @overdue::bigint[], @ended::bigint[])
    as n (
        task_no, app, priority, enabled, stages, traits, max_exec, bytes, revision, run_no, result_run_no, results, result_bytes, state, stage, job_id, pass,
        result_run, result_pass, retries, interruptions, queued_at, exec_deadline, wait, wait_deadline, next_run, retry_at, status_change,
        executor_id, claim, report_claim, report_stage, report_kind, exit_code, error, occurrence, skipped, chain, duty, due, overdue, ended)
where s.task_no = n.task_no

-- name: insert_results
insert into $schema$.results (
    task_no, run_no, pass, stage, attempt, started, finished, claim, result)
select
    task_no, run_no, pass, stage, attempt, started, finished, claim, result
from unnest(
        @task_no::bigint[], @run_no::int[], @pass::int[], @stage::int[], @attempt::int[], @started::bigint[], @finished::bigint[], @claim::uuid[],
        @result::text[])
    as n (
        task_no, run_no, pass, stage, attempt, started, finished, claim, result)

-- name: insert_failures
insert into $schema$.failures (
    task_no, run_no, pass, stage, attempt, started, finished, claim, error)
select
    task_no, run_no, pass, stage, attempt, started, finished, claim, error
from unnest(
        @task_no::bigint[], @run_no::int[], @pass::int[], @stage::int[], @attempt::int[], @started::bigint[], @finished::bigint[], @claim::uuid[],
        @error::text[])
    as n (
        task_no, run_no, pass, stage, attempt, started, finished, claim, error)

-- name: insert_runs
insert into $schema$.runs (
    task_no, run_no, pass, job_id, state, exit_code, error, retries, occurrence, chain, queued_at, ended)
select
    task_no, run_no, pass, job_id, state, exit_code, error, retries, occurrence, chain, queued_at, ended
from unnest(
        @task_no::bigint[], @run_no::int[], @pass::int[], @job_id::text[], @state::int[], @exit_code::int[], @error::text[], @retries::int[],
        @occurrence::bigint[], @chain::int[], @queued_at::bigint[], @ended::bigint[])
    as n (
        task_no, run_no, pass, job_id, state, exit_code, error, retries, occurrence, chain, queued_at, ended)

-- name: trim_runs
delete from $schema$.runs u using unnest(
        @task_no::bigint[], @result_run_no::int[], @kept::int[])
    as n (
        task_no, result_run_no, kept)
where u.task_no = n.task_no
and u.run_no not in (select k.run_no from $schema$.runs k where k.task_no = n.task_no order by k.run_no desc limit n.kept)

-- name: sweep_results
delete from $schema$.results r using unnest(
        @task_no::bigint[], @result_run_no::int[], @kept::int[])
    as n (
        task_no, result_run_no, kept)
where r.task_no = n.task_no and r.run_no <> n.result_run_no
and not exists (select 1 from $schema$.runs u where u.task_no = r.task_no and u.run_no = r.run_no)

-- name: sweep_failures
delete from $schema$.failures r using unnest(
        @task_no::bigint[], @result_run_no::int[], @kept::int[])
    as n (
        task_no, result_run_no, kept)
where r.task_no = n.task_no and r.run_no <> n.result_run_no
and not exists (select 1 from $schema$.runs u where u.task_no = r.task_no and u.run_no = r.run_no)

-- name: delete_tasks
delete from $schema$.tasks where task_no = any(@tasks)

-- name: delete_states
delete from $schema$.states where task_no = any(@tasks)

-- name: delete_results
delete from $schema$.results where task_no = any(@tasks)

-- name: delete_failures
delete from $schema$.failures where task_no = any(@tasks)

-- name: delete_runs
delete from $schema$.runs where task_no = any(@tasks)

-- name: get
select $task$, (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = s.task_no and r.run_no = s.result_run_no and r.pass = s.result_pass)
from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no where t.id = @id

-- name: results_of
select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = @task_no and r.run_no = @run_no and r.pass = @pass

-- name: find_result
select 1 from $schema$.results where task_no = @task_no and run_no = @run_no and stage = @stage and claim = @claim

-- name: get_run
select u.job_id, u.state, u.exit_code, u.error, u.retries, u.occurrence, u.chain, u.queued_at, u.ended, (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = u.task_no and r.run_no = u.run_no and r.pass = u.pass)
from $schema$.runs u where u.task_no = @task_no and u.job_id = @job_id order by u.run_no desc limit 1

-- Those of the runs, by their places, that have ended, that are not current, or whose tasks do not exist.
-- name: ended_runs
select w.place::int - 1 from unnest(@ids::text[], @jobs::text[]) with ordinality w (id, job_id, place)
left join $schema$.tasks t on t.id = w.id left join $schema$.states s on s.task_no = t.task_no
where s.job_id is distinct from w.job_id or s.state = 5 or (s.state = 6 and s.retry_at is null)

-- name: list_runs
select u.job_id, u.state, u.exit_code, u.error, u.retries, u.occurrence, u.chain, u.queued_at, u.ended, (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = u.task_no and r.run_no = u.run_no and r.pass = u.pass)
from $schema$.runs u where u.task_no = @task_no order by u.run_no desc

-- name: get_stages
select e.job_id, e.pass, e.stage, e.attempt, e.started, e.finished, e.result, e.error from (
    select coalesce(s.result_run, s.job_id) as job_id, r.pass, r.stage, r.attempt, r.started, r.finished, r.result, null::text as error, 1 as is_result
    from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no join $schema$.results r on r.task_no = s.task_no and r.run_no = s.result_run_no
    where t.id = @id
    union all
    select coalesce(s.result_run, s.job_id), f.pass, f.stage, f.attempt, f.started, f.finished, null, f.error, 0
    from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no join $schema$.failures f on f.task_no = s.task_no and f.run_no = s.result_run_no
    where t.id = @id) e
order by e.pass, e.stage, e.attempt, e.is_result

-- A page: the rows that are asked for, by the narrow columns alone, and then of these as many as their bytes allow; how many were found
-- says whether some were cut off. OFFSET 0 keeps the planner from beginning at the other end, where it believes no row to be of that state.
-- name: list
select $task$, (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = s.task_no and r.run_no = s.result_run_no and r.pass = s.result_pass), p.found
from (
    select p.*, row_number() over w as place, sum(p.bytes) over w as total, (count(*) over ())::int as found from (
        select t.task_no, t.created, t.id, s.bytes + s.result_bytes as bytes
        from (
            select t.task_no, t.created, t.id, t.app, t.is_periodic, t.group_name, t.user_id from $schema$.tasks t
            where 1 = 1/*scan*/ order by t.created, t.id limit @scanned) t
        cross join lateral (select * from $schema$.states s where s.task_no = t.task_no offset 0) s
        where 1 = 1/*filter*/ order by t.created, t.id limit @most) p
    window w as (order by p.created, p.id)) p
cross join lateral (select * from $schema$.states s where s.task_no = p.task_no offset 0) s
cross join lateral (select * from $schema$.tasks t where t.task_no = p.task_no offset 0) t
where p.place = 1 or p.total <= @most_bytes order by p.place

-- name: list_last
select t.created, t.id from $schema$.tasks t where 1 = 1/*scan*/ order by t.created, t.id limit 1 offset @scanned - 1

-- name: list_by_state
select $task$, (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = s.task_no and r.run_no = s.result_run_no and r.pass = s.result_pass), p.found
from (
    select p.*, row_number() over w as place, sum(p.bytes) over w as total, (count(*) over ())::int as found from (
        select t.task_no, t.created, t.id, s.bytes + s.result_bytes as bytes
        from (
            select s.task_no from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
            where s.state in (0, 3, 4, 6)/*scan*/ order by s.created, t.id limit @scanned) l
        cross join lateral (select * from $schema$.states s where s.task_no = l.task_no offset 0) s
        cross join lateral (select * from $schema$.tasks t where t.task_no = l.task_no offset 0) t
        where 1 = 1/*filter*/ order by t.created, t.id limit @most) p
    window w as (order by p.created, p.id)) p
cross join lateral (select * from $schema$.states s where s.task_no = p.task_no offset 0) s
cross join lateral (select * from $schema$.tasks t where t.task_no = p.task_no offset 0) t
where p.place = 1 or p.total <= @most_bytes order by p.place

-- name: list_by_state_last
select s.created, t.id from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state in (0, 3, 4, 6)/*scan*/ order by s.created, t.id limit 1 offset @scanned - 1
