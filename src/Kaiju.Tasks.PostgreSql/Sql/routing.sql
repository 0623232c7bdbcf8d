-- The hold of a queued task, for each app and method: that of the most specific row.
-- name: find_holds
select p.app, p.method, $hold$,
    exists (select 1 from $schema$.holds h where h.app = p.app and h.method = p.method)
from unnest(@apps::text[], @methods::text[]) p (app, method)

-- Serializes the decisions about holds.
-- name: lock_routing
select 1 from $schema$.routing where id = 1 for update

-- name: is_announced
select exists (select 1 from $schema$.announcements where executor_id = @executor)

-- name: announce
insert into $schema$.announcements (executor_id, version, host, announced)
values (@executor, @version, @host, @announced) on conflict (executor_id) do nothing

-- name: announce_commands
insert into $schema$.commands (executor_id, app, method)
select @executor, a.app, m.method from unnest(@apps::text[]) a (app) cross join unnest(@methods::text[]) m (method)
on conflict do nothing

-- name: commands_of
select distinct method from $schema$.commands where executor_id = @executor

-- What executors have announced that are known no more.
-- name: forget_announcements
delete from $schema$.announcements a where not exists (select 1 from $schema$.executors e where e.id = a.executor_id)

-- name: forget_commands
delete from $schema$.commands c where not exists (select 1 from $schema$.executors e where e.id = c.executor_id)

-- name: known_commands
select app, method, count(*)::int from $schema$.commands group by app, method

-- name: list_pauses
select app, method, reason, until, since, actor from $schema$.pauses order by app collate "C", method collate "C"

-- name: pause
insert into $schema$.pauses (app, method, reason, until, since, actor)
values (@app, @method, @reason, @until, @since, @actor)
on conflict (app, method) do update set reason = excluded.reason, until = excluded.until, since = excluded.since,
    actor = excluded.actor

-- name: resume
delete from $schema$.pauses where app = @app and method = @method

-- name: has_over_pauses
select exists (select 1 from $schema$.pauses where until <= @at)

-- name: end_pauses
delete from $schema$.pauses where until <= @at

-- name: list_holds
select app, method, hold from $schema$.holds

-- name: put_holds
insert into $schema$.holds (app, method, hold)
select n.app, n.method, n.hold from unnest(@app::text[], @method::text[], @hold::int[]) n (app, method, hold)
on conflict (app, method) do update set hold = excluded.hold

-- name: delete_holds
delete from $schema$.holds h using unnest(@app::text[], @method::text[]) n (app, method)
where h.app = n.app and h.method = n.method

-- name: mark_routing
update $schema$.routing set is_changed = @is_changed, app = @app, priority = @priority, queued_at = @queued_at,
    task_no = @task_no where id = 1

-- The place in the common queue, if no other transaction decides about holds or looks through the queue.
-- name: routing
select r.is_changed, r.app, r.priority, r.queued_at, r.task_no,
    exists (select 1 from $schema$.holds where hold > 0)
from $schema$.routing r where r.id = 1 for no key update of r skip locked

-- Steps from group to group along the index of held tasks.
-- name: held_groups
with recursive g(task_no) as (
    select (select s.task_no from $schema$.states s
        where s.state = 1 and s.enabled and s.hold > 0 order by s.hold, s.app, s.method limit 1)
    union all
    select (select n.task_no from $schema$.states n
            where n.state = 1 and n.enabled and n.hold > 0 and n.hold < 3
                and (n.hold, n.app, n.method) > (c.hold, c.app, c.method)
            order by n.hold, n.app, n.method limit 1)
        from g join $schema$.states c on c.task_no = g.task_no)
select c.hold, c.app, c.method from g join $schema$.states c on c.task_no = g.task_no
where c.hold < 3 limit @most

-- An array, since the planner expects a tenth of the group from a limit that it does not know: as a join, the update
-- would read all tasks.
-- name: rehold_group
update $schema$.states s set hold = @to where s.task_no = any(array(
    select f.task_no from $schema$.states f
    where f.state = 1 and f.enabled and f.hold > 0 and f.hold = @hold and f.app = @app and f.method = @method
    order by f.priority desc, f.queued_at, f.task_no limit @most for no key update skip locked))

-- The apps and methods of the common queue, in no order, which costs a third of a look in order.
-- name: all_routes
select q.app, q.method, count(*)::int from (
    select s.app, s.method from $schema$.states s where s.state = 1 and s.enabled and s.hold = 0 limit @looked) q
group by q.app, q.method

-- The apps and methods of the next tasks of the common queue.
-- name: common_routes
select q.app, q.method, count(*)::int from ($common_queue$) q group by q.app, q.method

-- name: common_queue
select q.* from ($common_queue$) q order by q.app, q.priority desc, q.queued_at, q.task_no limit @most offset @skipped

-- name: hold_tasks
update $schema$.states s set hold = f.hold from (
    select h.task_no, n.hold from unnest(@task_no::bigint[], @hold::int[]) n (task_no, hold)
    join $schema$.states h on h.task_no = n.task_no
    where h.state = 1 and h.hold = 0 -- guard: state
    order by h.task_no for no key update of h skip locked) f
where s.task_no = f.task_no
