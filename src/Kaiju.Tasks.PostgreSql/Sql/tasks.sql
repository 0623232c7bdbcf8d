-- name: load_by_ids
$limited$select $held$, s.revision from $limits$$schema$.tasks t join $schema$.states s on s.task_no = t.task_no
where t.id = any(@ids) order by t.id for no key update of s

-- Holds those of these tasks that no other transaction holds, and reads the ids of the tasks that they start.
-- name: hold_free
$limited$select t.id, case when s.traits & 8 = 8 then t.definition::json ->> 'next_task' end
from $limits$$schema$.tasks t join $schema$.states s on s.task_no = t.task_no
where t.id = any(@ids) order by t.id for no key update of s skip locked

-- The rows as last committed, without holding them.
-- name: find_by_ids
select $held$, s.revision from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no where t.id = any(@ids)

-- name: find_states
select t.id, s.job_id, s.state from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no
where t.id = any(@ids)

-- name: ended
select s.task_no, t.id from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.ended is not null and s.state = @state and s.ended < @before
order by s.ended, s.task_no limit @most for update of s, t skip locked

-- name: find_tasks
select task_no from $schema$.tasks where task_no = any(@tasks)

-- name: find_creation
select task_no from $schema$.tasks where task_no = any(@tasks) and creation = @creation

-- New tasks whose ids are unknown, in one statement and one transaction. Their times are counted from the creation. Not
-- ON CONFLICT, which writes each row twice: an id that becomes known at this moment fails the statement, and then each
-- call runs by itself. If there is a payload for other processes, the same commit notifies them; its row has no id. See
-- docs/decisions/0008.
-- name: create
with clock as materialized (select $now$ as now$limit$),
n as materialized (
    select n.*, c.now from clock c, unnest($new_arguments$) with ordinality as n ($new_columns$, place)),
-- Each app and method of the batch is looked up once; a row names its place among them. A join with k would cost each
-- row more.
k as materialized (
    select array(
        select $hold$ from unnest(@route_apps::text[], @route_methods::text[]) with ordinality p (app, method, place)
        order by p.place) as holds),
t as (
    insert into $schema$.tasks ($new_definition_columns$) select $new_definition_values$ from n
    where (select k.task_no from $schema$.tasks k where k.id = n.id) is null order by n.place returning id, task_no),
s as (
    insert into $schema$.states ($new_state_columns$)
    select $new_state_values$ from t join n on n.id = t.id)
select t.id from t union all select nullif(pg_notify(@channel, @told)::text, '') where @told <> ''
    and exists (select 1 from t)

-- name: insert_tasks
insert into $schema$.tasks ($definition_columns$) select $definition_columns$
from unnest($definition_arguments$) with ordinality as n ($definition_columns$, place)
order by n.place on conflict (id) do nothing returning id, task_no

-- name: insert_states
insert into $schema$.states ($state_columns$) select $state_columns$
    from unnest($state_arguments$) as n ($state_columns$)

-- name: update_definitions
update $schema$.tasks t set $definition_sets$
from unnest($definition_arguments$) as n ($definition_columns$) where t.id = n.id

-- name: update_states
update $schema$.states s set $state_sets$
from unnest($state_arguments$) as n ($state_columns$) where s.task_no = n.task_no

-- name: insert_results
insert into $schema$.results ($result_columns$) select $result_columns$
    from unnest($result_arguments$) as n ($result_columns$)

-- name: insert_failures
insert into $schema$.failures ($failure_columns$) select $failure_columns$
    from unnest($failure_arguments$) as n ($failure_columns$)

-- name: insert_runs
insert into $schema$.runs ($run_columns$) select $run_columns$ from unnest($run_arguments$) as n ($run_columns$)

-- name: move_results
update $schema$.results r set pass = n.new_pass from unnest($moved_arguments$) as n ($moved_columns$)
where r.task_no = n.task_no and r.run_no = n.run_no and r.pass = n.pass and r.stage < n.stages

-- name: delete_run
delete from $schema$.runs u using unnest($restored_arguments$) as n ($restored_columns$)
where u.task_no = n.task_no and u.run_no = n.run_no

-- name: trim_runs
delete from $schema$.runs u using unnest($sweep_arguments$) as n ($sweep_columns$)
where u.task_no = n.task_no
and u.run_no not in (select k.run_no from $schema$.runs k where k.task_no = n.task_no order by k.run_no desc
    limit n.kept)

-- name: sweep_results
delete from $schema$.results r using unnest($sweep_arguments$) as n ($sweep_columns$)
where r.task_no = n.task_no and r.run_no <> n.result_run_no
and not exists (select 1 from $schema$.runs u where u.task_no = r.task_no and u.run_no = r.run_no)

-- name: sweep_failures
delete from $schema$.failures r using unnest($sweep_arguments$) as n ($sweep_columns$)
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

-- The places of those runs that have ended, that are not current, or whose tasks do not exist.
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
    select coalesce(s.result_run, s.job_id) as job_id, r.pass, r.stage, r.attempt, r.started, r.finished, r.result,
        null::text as error, 1 as is_result
    from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no
        join $schema$.results r on r.task_no = s.task_no and r.run_no = s.result_run_no
    where t.id = @id
    union all
    select coalesce(s.result_run, s.job_id), f.pass, f.stage, f.attempt, f.started, f.finished, null, f.error, 0
    from $schema$.tasks t join $schema$.states s on s.task_no = t.task_no
        join $schema$.failures f on f.task_no = s.task_no and f.run_no = s.result_run_no
    where t.id = @id) e
order by e.pass, e.stage, e.attempt, e.is_result

-- A page. It finds the rows by the narrow columns alone, and then reads as many as the bound on bytes allows; the
-- number found tells whether some were cut off. OFFSET 0 keeps the planner from scanning from the other end, where it
-- expects no row of that state. See docs/decisions/0006 and 0011.
-- name: list
select $task$, (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = s.task_no and r.run_no = s.result_run_no and r.pass = s.result_pass),
        p.found
from (
    select p.*, row_number() over w as place, sum(p.bytes) over w as total, (count(*) over ())::int as found from (
        select t.task_no, t.created, t.id, s.bytes + s.result_bytes as bytes
        from (
            select t.task_no, t.created, t.id, t.app, t.is_periodic, t.group_name, t.user_id from $schema$.tasks t
            where 1 = 1/*scan*/ order by t.created/*desc*/, t.id/*desc*/ limit @scanned) t
        cross join lateral (select * from $schema$.states s where s.task_no = t.task_no offset 0) s
        where (@method is null or (
            select d.definition::jsonb -> 'commands' -> s.stage ->> 'method' from $schema$.tasks d
            where d.task_no = t.task_no) = @method)/*filter*/ order by t.created/*desc*/, t.id/*desc*/ limit @most) p
    window w as (order by p.created/*desc*/, p.id/*desc*/)) p
cross join lateral (select * from $schema$.states s where s.task_no = p.task_no offset 0) s
cross join lateral (select * from $schema$.tasks t where t.task_no = p.task_no offset 0) t
where p.place = 1 or p.total <= @most_bytes order by p.place

-- name: list_last
select t.created, t.id from $schema$.tasks t where 1 = 1/*scan*/
order by t.created/*desc*/, t.id/*desc*/ limit 1 offset @scanned - 1

-- name: list_by_state
select $task$, (
    select '[' || string_agg(r.result, ',' order by r.stage) || ']'
    from $schema$.results r where r.task_no = s.task_no and r.run_no = s.result_run_no and r.pass = s.result_pass),
        p.found
from (
    select p.*, row_number() over w as place, sum(p.bytes) over w as total, (count(*) over ())::int as found from (
        select t.task_no, t.created, t.id, s.bytes + s.result_bytes as bytes
        from (
            select s.task_no from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
            where s.state in (0, 3, 4, 6)/*scan*/ order by s.created/*desc*/, t.id/*desc*/ limit @scanned) l
        cross join lateral (select * from $schema$.states s where s.task_no = l.task_no offset 0) s
        cross join lateral (select * from $schema$.tasks t where t.task_no = l.task_no offset 0) t
        where (@method is null or (t.definition::jsonb -> 'commands' -> s.stage ->> 'method') = @method)/*filter*/
        order by t.created/*desc*/, t.id/*desc*/ limit @most) p
    window w as (order by p.created/*desc*/, p.id/*desc*/)) p
cross join lateral (select * from $schema$.states s where s.task_no = p.task_no offset 0) s
cross join lateral (select * from $schema$.tasks t where t.task_no = p.task_no offset 0) t
where p.place = 1 or p.total <= @most_bytes order by p.place

-- name: list_by_state_last
select s.created, t.id from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state in (0, 3, 4, 6)/*scan*/ order by s.created/*desc*/, t.id/*desc*/ limit 1 offset @scanned - 1

-- Finds rows as a page does, but without an order beyond the scan, since all that are found count.
-- name: count
select count(*)::int from (
    select 1 from (
        select t.task_no, t.created, t.id, t.app, t.is_periodic, t.group_name, t.user_id from $schema$.tasks t
        where 1 = 1/*scan*/ order by t.created/*desc*/, t.id/*desc*/ limit @scanned) t
    cross join lateral (select * from $schema$.states s where s.task_no = t.task_no offset 0) s
    where (@method is null or (
            select d.definition::jsonb -> 'commands' -> s.stage ->> 'method' from $schema$.tasks d
            where d.task_no = t.task_no) = @method)/*filter*/ limit @most) p

-- name: count_by_state
select count(*)::int from (
    select 1 from (
        select s.task_no from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
        where s.state in (0, 3, 4, 6)/*scan*/ order by s.created/*desc*/, t.id/*desc*/ limit @scanned) l
    cross join lateral (select * from $schema$.states s where s.task_no = l.task_no offset 0) s
    cross join lateral (select * from $schema$.tasks t where t.task_no = l.task_no offset 0) t
    where (@method is null or (t.definition::jsonb -> 'commands' -> s.stage ->> 'method') = @method)/*filter*/
    limit @most) p

-- Finds the rows of a page, for a bulk operation that then holds those that it changes.
-- name: keys
select t.created, t.id, s.status_change, t.app, t.group_name, t.user_id, s.bytes + s.result_bytes from (
    select t.task_no, t.created, t.id, t.app, t.is_periodic, t.group_name, t.user_id from $schema$.tasks t
    where 1 = 1/*scan*/ order by t.created/*desc*/, t.id/*desc*/ limit @scanned) t
cross join lateral (select * from $schema$.states s where s.task_no = t.task_no offset 0) s
where (@method is null or (
    select d.definition::jsonb -> 'commands' -> s.stage ->> 'method' from $schema$.tasks d
    where d.task_no = t.task_no) = @method)/*filter*/ order by t.created/*desc*/, t.id/*desc*/ limit @most

-- name: keys_by_state
select t.created, t.id, s.status_change, t.app, t.group_name, t.user_id, s.bytes + s.result_bytes from (
    select s.task_no from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
    where s.state in (0, 3, 4, 6)/*scan*/ order by s.created/*desc*/, t.id/*desc*/ limit @scanned) l
cross join lateral (select * from $schema$.states s where s.task_no = l.task_no offset 0) s
cross join lateral (select * from $schema$.tasks t where t.task_no = l.task_no offset 0) t
where (@method is null or (t.definition::jsonb -> 'commands' -> s.stage ->> 'method') = @method)/*filter*/
order by t.created/*desc*/, t.id/*desc*/ limit @most
