-- name: watch
select $now$, (select last_seen from $schema$.watch where id = 1), (select since from $schema$.watch where id = 1),
    (select min(last_ping) from $schema$.executors)

-- name: begin_watch
insert into $schema$.watch (id, last_seen, since) values (1, @last_seen, @since) on conflict (id) do nothing

-- Only if the row has not changed since it was read.
-- name: keep_watch
update $schema$.watch w set last_seen = @last_seen, since = @since from (
    select k.id from $schema$.watch k where k.id = 1 and k.last_seen = @before_last_seen
        and k.since = @before_since for no key update skip locked) f
where w.id = f.id

-- The tasks that are due: the first rows that no other transaction holds. Where definitions are read, as many of these
-- rows as the bound on bytes allows. See docs/decisions/0011. Waits that only a later version knows are its own.
-- name: load_due
with held as materialized (
    select s.* from $schema$.states s
    where s.duty = @duty and s.due <= @now and s.task_no <> all(@except::bigint[])
        and s.wait in ($known_waits$) order by s.due, s.task_no limit @most for no key update skip locked),
counted as (
    select h.*, row_number() over w as place,
        sum(case when (h.traits | 16) & @whole <> 0 then h.bytes else 0 end) over w as total
    from held h window w as (order by h.due, h.task_no))
select $held$, s.revision from counted s cross join lateral (select * from $schema$.tasks t
    where t.task_no = s.task_no offset 0) t
where s.place = 1 or s.total <= @most_bytes order by s.place

-- name: load_overdue
with held as materialized (
    select s.* from $schema$.states s
    where s.overdue <= @now and s.task_no <> all(@except::bigint[]) order by s.overdue, s.task_no
        limit @most for no key update skip locked),
counted as (
    select h.*, row_number() over w as place,
        sum(case when (h.traits | 16) & @whole <> 0 then h.bytes else 0 end) over w as total
    from held h window w as (order by h.overdue, h.task_no))
select $held$, s.revision from counted s cross join lateral (select * from $schema$.tasks t
    where t.task_no = s.task_no offset 0) t
where s.place = 1 or s.total <= @most_bytes order by s.place

-- name: load_held
select $held$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id = any(@executors) and s.task_no <> all(@except::bigint[])
order by s.task_no limit @most for no key update of s skip locked

-- name: load_dead
select $held$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id = any(@executors) and s.task_no <> all(@except::bigint[])
order by s.task_no limit @most for no key update of s skip locked

-- name: dead_executors
select id from $schema$.executors where last_ping < @alive

-- name: forget_executors
delete from $schema$.executors e where e.id = any(array(
    select h.id from $schema$.executors h where h.id = any(@executors) and h.last_ping < @alive for update skip locked))
and not exists (select 1 from $schema$.states s where s.state = 2 and s.executor_id = e.id)

-- The last sign of a manager, and whether a duty has been left undone.
-- name: unattended
select (select last_seen from $schema$.watch where id = 1),
    exists (select 1 from $schema$.states where duty in (0, 1, 2, 3) and due <= @before
        and wait in ($known_waits$))
        or exists (select 1 from $schema$.states where overdue <= @before)

-- Steps from app to app along the index of the queue, and reads only the first row of each app. Paused apps do not
-- count.
-- name: unserved_apps
with recursive apps(app) as (
    select (select min(s.app) from $schema$.states s where s.state = 1 and s.enabled and s.hold = 0)
    union all
    select (select min(s.app) from $schema$.states s where s.state = 1 and s.enabled and s.hold = 0 and s.app > a.app)
        from apps a where a.app is not null)
select a.app from apps a
where a.app is not null
and (select s.queued_at from $schema$.states s where s.state = 1 and s.enabled and s.hold = 0 and s.app = a.app
    order by s.priority desc, s.queued_at, s.task_no limit 1) <= @before
and not exists (select 1 from $schema$.states s where s.state = 2 and s.app = a.app)
and not exists (select 1 from $schema$.pauses p where p.app = a.app and p.method = ''
    and (p.until is null or p.until > $now$))
order by a.app limit @most

-- name: next_duty
select $now$, least(
    (select min(due) from $schema$.states where duty = 0 and task_no <> all(@except::bigint[])),
    (select min(due) from $schema$.states where duty = 1 and wait in ($known_waits$)
        and task_no <> all(@except::bigint[])),
    (select min(due) from $schema$.states where duty = 2 and task_no <> all(@except::bigint[])),
    (select min(due) from $schema$.states where duty = 3 and task_no <> all(@except::bigint[])),
    (select min(overdue) from $schema$.states where overdue is not null and task_no <> all(@except::bigint[]))),
    (select min(last_ping) from $schema$.executors), (select last_seen from $schema$.watch where id = 1),
        (select since from $schema$.watch where id = 1)

-- name: now
select $now$$limit$
