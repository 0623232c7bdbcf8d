-- The hold of a queued task: that of the most specific row.
-- name: find_hold
select $hold$, exists (select 1 from $prefix$holds h where h.app = @app and h.method = @method)

-- name: is_announced
select exists (select 1 from $prefix$announcements where executor_id = @executor)

-- name: announce
insert into $prefix$announcements (executor_id, version, host, announced)
values (@executor, @version, @host, @announced) on conflict (executor_id) do nothing

-- name: announce_commands
insert into $prefix$commands (executor_id, app, method)
select @executor, a.value, c.value from json_each(@apps) a cross join json_each(@methods) c where true
on conflict do nothing

-- name: commands_of
select distinct method from $prefix$commands where executor_id = @executor

-- What executors have announced that are known no more.
-- name: forget_announcements
delete from $prefix$announcements where executor_id not in (select id from $prefix$executors)

-- name: forget_commands
delete from $prefix$commands where executor_id not in (select id from $prefix$executors)

-- name: known_commands
select app, method, count(*) from $prefix$commands group by app, method

-- name: list_pauses
select app, method, reason, until, since, actor from $prefix$pauses order by app, method

-- name: pause
insert into $prefix$pauses (app, method, reason, until, since, actor)
values (@app, @method, @reason, @until, @since, @actor)
on conflict (app, method) do update set reason = excluded.reason, until = excluded.until, since = excluded.since,
    actor = excluded.actor

-- name: resume
delete from $prefix$pauses where app = @app and method = @method

-- name: has_over_pauses
select exists (select 1 from $prefix$pauses where until <= @at)

-- name: end_pauses
delete from $prefix$pauses where until <= @at

-- name: list_holds
select app, method, hold from $prefix$holds

-- name: put_holds
insert into $prefix$holds (app, method, hold) values (@app, @method, @hold)
on conflict (app, method) do update set hold = excluded.hold

-- name: delete_holds
delete from $prefix$holds where app = @app and method = @method

-- name: mark_routing
update $prefix$routing set is_changed = @is_changed, app = @app, priority = @priority, queued_at = @queued_at,
    task_no = @task_no where id = 1

-- The place in the common queue.
-- name: routing
select r.is_changed, r.app, r.priority, r.queued_at, r.task_no,
    exists (select 1 from $prefix$holds where hold > 0)
from $prefix$routing r where r.id = 1

-- Steps from group to group along the index of held tasks. An index serves a comparison of rows only if the values
-- have no affinity, which + removes, and reads the rows that are equal to them: char(0) makes the next possible name.
-- name: held_groups
with recursive g(task_no) as (
    select (select s.task_no from $prefix$states s
        where s.state = 1 and s.enabled = 1 and s.hold > 0 order by s.hold, s.app, s.method limit 1)
    union all
    select (select n.task_no from $prefix$states n
            where (n.hold, n.app, n.method) >= (
                    +(select c.hold from $prefix$states c where c.task_no = g.task_no),
                    +(select c.app from $prefix$states c where c.task_no = g.task_no),
                    (select c.method || char(0) from $prefix$states c where c.task_no = g.task_no))
                and n.state = 1 and n.enabled = 1 and n.hold > 0
            order by n.hold, n.app, n.method limit 1)
        from g where (select c.hold from $prefix$states c where c.task_no = g.task_no) < 3)
select c.hold, c.app, c.method from g cross join $prefix$states c
where c.task_no = g.task_no and c.hold < 3 limit @most

-- name: rehold_group
update $prefix$states set hold = @to where task_no in (
    select f.task_no from $prefix$states f
    where f.state = 1 and f.enabled = 1 and f.hold > 0 and f.hold = @hold and f.app = @app and f.method = @method
    order by f.priority desc, f.queued_at, f.task_no limit @most)

-- The apps and methods of the common queue, in no order, which costs a third of a look in order.
-- name: all_routes
select q.app, q.method, count(*) from (
    select s.app, s.method from $prefix$states s indexed by $prefix$states_queued
    where s.state = 1 and s.enabled = 1 and s.hold = 0 and s.app > '' limit @looked) q
group by q.app, q.method

-- The apps and methods of the next tasks of the common queue.
-- name: common_routes
select q.app, q.method, count(*) from ($common_queue$) q group by q.app, q.method

-- name: common_queue
select q.* from ($common_queue$) q order by q.app, q.priority desc, q.queued_at, q.task_no limit @most offset @skipped

-- name: hold_tasks
update $prefix$states set hold = @hold where task_no = @task_no and state = 1 and hold = 0 -- guard: state
