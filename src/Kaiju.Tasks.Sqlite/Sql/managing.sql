-- name: watch
select @now, (select last_seen from $prefix$watch where id = 1), (select since from $prefix$watch where id = 1),
    (select min(last_ping) from $prefix$executors)

-- name: begin_watch
insert into $prefix$watch (id, last_seen, since) values (1, @last_seen, @since) on conflict (id) do nothing

-- Only if the row has not changed since it was read.
-- name: keep_watch
update $prefix$watch set last_seen = @last_seen, since = @since
where id = 1 and last_seen = @before_last_seen and since = @before_since

-- The tasks that are due: the first rows. Where definitions are read, as many of these rows as the bound on bytes
-- allows. See docs/decisions/0011. Waits that only a later version knows are its own.
-- name: load_due
select $held$ from (
    select o.task_no, row_number() over w as place, sum(o.bytes) over w as total from (
        select s.task_no, s.due, iif((s.traits | 16) & @whole <> 0, s.bytes, 0) as bytes from $prefix$states s
        where s.duty = @duty and s.due <= @now and s.task_no not in (select value from json_each(@except))
            and s.wait in ($known_waits$)
            order by s.due, s.task_no limit @most) o
    window w as (order by o.due, o.task_no)) l
cross join $prefix$states s on s.task_no = l.task_no cross join $prefix$tasks t on t.task_no = l.task_no
where l.place = 1 or l.total <= @most_bytes order by l.place

-- name: load_overdue
select $held$ from (
    select o.task_no, row_number() over w as place, sum(o.bytes) over w as total from (
        select s.task_no, s.overdue, iif((s.traits | 16) & @whole <> 0, s.bytes, 0) as bytes from $prefix$states s
        where s.overdue is not null and s.overdue <= @now and s.task_no not in (select value
            from json_each(@except)) order by s.overdue, s.task_no limit @most) o
    window w as (order by o.overdue, o.task_no)) l
cross join $prefix$states s on s.task_no = l.task_no cross join $prefix$tasks t on t.task_no = l.task_no
where l.place = 1 or l.total <= @most_bytes order by l.place

-- name: load_held
select $held$ from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id in (select value from json_each(@executors))
    and s.task_no not in (select value from json_each(@except))
order by s.task_no limit @most

-- name: load_dead
select $held$ from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id in (select value from json_each(@executors))
    and s.task_no not in (select value from json_each(@except))
order by s.task_no limit @most

-- name: dead_executors
select id from $prefix$executors where last_ping < @alive

-- In the transaction that found them dead, which is the only one that writes: none can have pinged in the meantime.
-- name: forget_executors
delete from $prefix$executors
where id in (select value from json_each(@executors))
and not exists (select 1 from $prefix$states s where s.state = 2 and s.executor_id = $prefix$executors.id)

-- The last sign of a manager, and whether a duty has been left undone.
-- name: unattended
select (select last_seen from $prefix$watch where id = 1),
    exists (select 1 from $prefix$states where duty in (0, 1, 2, 3) and due <= @before
        and wait in ($known_waits$))
        or exists (select 1 from $prefix$states where overdue <= @before)

-- Steps from app to app along the index of the queue, and reads only the first row of each app. Paused apps do not
-- count.
-- name: unserved_apps
with recursive apps(app) as (
    select (select min(s.app) from $prefix$states s where s.state = 1 and s.enabled = 1 and s.hold = 0)
    union all
    select (select min(s.app) from $prefix$states s
        where s.state = 1 and s.enabled = 1 and s.hold = 0 and s.app > a.app) from apps a where a.app is not null)
select a.app from apps a
where a.app is not null
and (select s.queued_at from $prefix$states s where s.state = 1 and s.enabled = 1 and s.hold = 0 and s.app = a.app
    order by s.priority desc, s.queued_at, s.task_no limit 1) <= @before
and not exists (select 1 from $prefix$states s where s.state = 2 and s.app = a.app)
and not exists (select 1 from $prefix$pauses p where p.app = a.app and p.method = ''
    and (p.until is null or p.until > @now))
order by a.app limit @most

-- name: next_duty
select @now, (
    select min(due) from (
        select min(due) as due from $prefix$states where duty = 0 and task_no not in (select value
            from json_each(@except))
        union all select min(due) from $prefix$states where duty = 1 and wait in ($known_waits$)
            and task_no not in (select value from json_each(@except))
        union all select min(due) from $prefix$states where duty = 2 and task_no not in (select value
            from json_each(@except))
        union all select min(due) from $prefix$states where duty = 3 and task_no not in (select value
            from json_each(@except))
        union all select min(overdue) from $prefix$states where overdue is not null
            and task_no not in (select value from json_each(@except)))),
    (select min(last_ping) from $prefix$executors), (select last_seen from $prefix$watch where id = 1),
        (select since from $prefix$watch where id = 1)
