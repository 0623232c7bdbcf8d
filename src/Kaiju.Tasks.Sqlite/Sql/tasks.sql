-- name: load_by_ids
select $held$ from $prefix$tasks t join $prefix$states s on s.task_no = t.task_no
where t.id in (select value from json_each(@ids)) order by t.id

-- name: find_by_ids
select $held$ from $prefix$tasks t join $prefix$states s on s.task_no = t.task_no
where t.id in (select value from json_each(@ids))

-- name: ended
select s.task_no, t.id from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
where s.ended is not null and s.state = @state and s.ended < @before order by s.ended, s.task_no limit @most

-- name: find_tasks
select task_no from $prefix$tasks where task_no in (select value from json_each(@tasks))

-- name: find_creation
select task_no from $prefix$tasks where task_no in (select value from json_each(@tasks)) and creation = @creation

-- name: insert_task
insert into $prefix$tasks ($definition_columns$) values ($definition_arguments$) on conflict (id) do nothing

-- name: insert_states
insert into $prefix$states ($state_columns$) values ($state_arguments$)

-- name: update_definitions
update $prefix$tasks set $definition_sets$ where id = @id

-- name: update_states
update $prefix$states set $state_sets$ where task_no = @task_no

-- name: insert_results
insert into $prefix$results ($result_columns$) values ($result_arguments$)

-- name: insert_failures
insert into $prefix$failures ($failure_columns$) values ($failure_arguments$)

-- name: insert_runs
insert into $prefix$runs ($run_columns$) values ($run_arguments$)

-- name: move_results
update $prefix$results set pass = @new_pass
where task_no = @task_no and run_no = @run_no and pass = @pass and stage < @stages

-- name: delete_run
delete from $prefix$runs where task_no = @task_no and run_no = @run_no

-- name: trim_runs
delete from $prefix$runs
where task_no = @task_no and run_no not in (select run_no from $prefix$runs where task_no = @task_no
    order by run_no desc limit @kept)

-- name: sweep_results
delete from $prefix$results
where task_no = @task_no and run_no <> @result_run_no and run_no not in (select run_no from $prefix$runs
    where task_no = @task_no)

-- name: sweep_failures
delete from $prefix$failures
where task_no = @task_no and run_no <> @result_run_no and run_no not in (select run_no from $prefix$runs
    where task_no = @task_no)

-- name: delete_tasks
delete from $prefix$tasks where task_no in (select value from json_each(@tasks))

-- name: delete_states
delete from $prefix$states where task_no in (select value from json_each(@tasks))

-- name: delete_results
delete from $prefix$results where task_no in (select value from json_each(@tasks))

-- name: delete_failures
delete from $prefix$failures where task_no in (select value from json_each(@tasks))

-- name: delete_runs
delete from $prefix$runs where task_no in (select value from json_each(@tasks))

-- name: get
select $task$, (
    select '[' || group_concat(r.result, ',') || ']' from (
        select result from $prefix$results where task_no = s.task_no and run_no = s.result_run_no
            and pass = s.result_pass order by stage) r)
from $prefix$tasks t join $prefix$states s on s.task_no = t.task_no where t.id = @id

-- name: results_of
select '[' || group_concat(r.result, ',') || ']' from (
    select result from $prefix$results where task_no = @task_no and run_no = @run_no and pass = @pass order by stage) r

-- name: find_result
select 1 from $prefix$results where task_no = @task_no and run_no = @run_no and stage = @stage and claim = @claim

-- name: get_run
select u.job_id, u.state, u.exit_code, u.error, u.retries, u.occurrence, u.chain, u.queued_at, u.ended, (
    select '[' || group_concat(r.result, ',') || ']' from (
        select result from $prefix$results where task_no = u.task_no and run_no = u.run_no and pass = u.pass
            order by stage) r)
from $prefix$runs u where u.task_no = @task_no and u.job_id = @job_id order by u.run_no desc limit 1

-- The places of those runs that have ended, that are not current, or whose tasks do not exist.
-- name: ended_runs
select i.key from json_each(@ids) i left join $prefix$tasks t on t.id = i.value
    left join $prefix$states s on s.task_no = t.task_no
where s.job_id is not json_extract(@jobs, '$[' || i.key || ']') or s.state = 5 or (s.state = 6 and s.retry_at is null)

-- name: list_runs
select u.job_id, u.state, u.exit_code, u.error, u.retries, u.occurrence, u.chain, u.queued_at, u.ended, (
    select '[' || group_concat(r.result, ',') || ']' from (
        select result from $prefix$results where task_no = u.task_no and run_no = u.run_no and pass = u.pass
            order by stage) r)
from $prefix$runs u where u.task_no = @task_no order by u.run_no desc

-- name: get_stages
select e.job_id, e.pass, e.stage, e.attempt, e.started, e.finished, e.result, e.error from (
    select coalesce(s.result_run, s.job_id) as job_id, r.pass, r.stage, r.attempt, r.started, r.finished, r.result,
        null as error, 1 as is_result
    from $prefix$tasks t join $prefix$states s on s.task_no = t.task_no
        join $prefix$results r on r.task_no = s.task_no and r.run_no = s.result_run_no
    where t.id = @id
    union all
    select coalesce(s.result_run, s.job_id), f.pass, f.stage, f.attempt, f.started, f.finished, null, f.error, 0
    from $prefix$tasks t join $prefix$states s on s.task_no = t.task_no
        join $prefix$failures f on f.task_no = s.task_no and f.run_no = s.result_run_no
    where t.id = @id) e
order by e.pass, e.stage, e.attempt, e.is_result

-- A page. It finds the rows by the narrow columns alone, and then reads as many as the bound on bytes allows; the
-- number found tells whether some were cut off. CROSS JOIN keeps the planner from scanning from the other end, where
-- it expects no row of that state. See docs/decisions/0006 and 0011.
-- name: list
select $task$, (
    select '[' || group_concat(r.result, ',') || ']' from (
        select result from $prefix$results where task_no = s.task_no and run_no = s.result_run_no
            and pass = s.result_pass order by stage) r), l.found
from (
    select o.task_no, row_number() over w as place, sum(o.bytes) over w as total, count(*) over () as found from (
        select t.task_no, t.created, t.id, s.bytes + s.result_bytes as bytes
        from (
            select t.task_no, t.created, t.id, t.app, t.is_periodic, t.group_name, t.user_id from $prefix$tasks t
            where 1 = 1/*scan*/ order by t.created/*desc*/, t.id/*desc*/ limit @scanned) t
        cross join $prefix$states s on s.task_no = t.task_no
        where (@method is null or (
            select json_extract(d.definition, '$.commands[' || s.stage || '].method') from $prefix$tasks d
            where d.task_no = t.task_no) = @method)/*filter*/ order by t.created/*desc*/, t.id/*desc*/ limit @most) o
    window w as (order by o.created/*desc*/, o.id/*desc*/)) l
cross join $prefix$states s on s.task_no = l.task_no cross join $prefix$tasks t on t.task_no = l.task_no
where l.place = 1 or l.total <= @most_bytes order by l.place

-- name: list_last
select t.created, t.id from $prefix$tasks t where 1 = 1/*scan*/
order by t.created/*desc*/, t.id/*desc*/ limit 1 offset @scanned - 1

-- name: list_by_state
select $task$, (
    select '[' || group_concat(r.result, ',') || ']' from (
        select result from $prefix$results where task_no = s.task_no and run_no = s.result_run_no
            and pass = s.result_pass order by stage) r), l.found
from (
    select o.task_no, row_number() over w as place, sum(o.bytes) over w as total, count(*) over () as found from (
        select t.task_no, t.created, t.id, s.bytes + s.result_bytes as bytes
        from (
            select s.task_no from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
            where s.state in (0, 3, 4, 6)/*scan*/ order by s.created/*desc*/, t.id/*desc*/ limit @scanned) r
        cross join $prefix$states s on s.task_no = r.task_no cross join $prefix$tasks t on t.task_no = r.task_no
        where (@method is null
            or json_extract(t.definition, '$.commands[' || s.stage || '].method') = @method)/*filter*/
        order by t.created/*desc*/, t.id/*desc*/ limit @most) o
    window w as (order by o.created/*desc*/, o.id/*desc*/)) l
cross join $prefix$states s on s.task_no = l.task_no cross join $prefix$tasks t on t.task_no = l.task_no
where l.place = 1 or l.total <= @most_bytes order by l.place

-- name: list_by_state_last
select s.created, t.id from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
where s.state in (0, 3, 4, 6)/*scan*/ order by s.created/*desc*/, t.id/*desc*/ limit 1 offset @scanned - 1

-- Finds rows as a page does, but without an order beyond the scan, since all that are found count.
-- name: count
select count(*) from (
    select 1 from (
        select t.task_no, t.created, t.id, t.app, t.is_periodic, t.group_name, t.user_id from $prefix$tasks t
        where 1 = 1/*scan*/ order by t.created/*desc*/, t.id/*desc*/ limit @scanned) t
    cross join $prefix$states s on s.task_no = t.task_no
    where (@method is null or (
            select json_extract(d.definition, '$.commands[' || s.stage || '].method') from $prefix$tasks d
            where d.task_no = t.task_no) = @method)/*filter*/ limit @most) l

-- name: count_by_state
select count(*) from (
    select 1 from (
        select s.task_no from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
        where s.state in (0, 3, 4, 6)/*scan*/ order by s.created/*desc*/, t.id/*desc*/ limit @scanned) r
    cross join $prefix$states s on s.task_no = r.task_no cross join $prefix$tasks t on t.task_no = r.task_no
    where (@method is null or json_extract(t.definition, '$.commands[' || s.stage || '].method') = @method)/*filter*/
    limit @most) l

-- Finds the rows of a page, for a bulk operation.
-- name: keys
select t.created, t.id, s.status_change, t.app, t.group_name, t.user_id, s.bytes + s.result_bytes from (
    select t.task_no, t.created, t.id, t.app, t.is_periodic, t.group_name, t.user_id from $prefix$tasks t
    where 1 = 1/*scan*/ order by t.created/*desc*/, t.id/*desc*/ limit @scanned) t
cross join $prefix$states s on s.task_no = t.task_no
where (@method is null or (
    select json_extract(d.definition, '$.commands[' || s.stage || '].method') from $prefix$tasks d
    where d.task_no = t.task_no) = @method)/*filter*/ order by t.created/*desc*/, t.id/*desc*/ limit @most

-- name: keys_by_state
select t.created, t.id, s.status_change, t.app, t.group_name, t.user_id, s.bytes + s.result_bytes from (
    select s.task_no from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
    where s.state in (0, 3, 4, 6)/*scan*/ order by s.created/*desc*/, t.id/*desc*/ limit @scanned) r
cross join $prefix$states s on s.task_no = r.task_no cross join $prefix$tasks t on t.task_no = r.task_no
where (@method is null
    or json_extract(t.definition, '$.commands[' || s.stage || '].method') = @method)/*filter*/
order by t.created/*desc*/, t.id/*desc*/ limit @most
