-- name: watch
select $now$, (select last_seen from $schema$.watch where id = 1), (select since from $schema$.watch where id = 1), (select min(last_ping) from $schema$.executors)

-- name: begin_watch
insert into $schema$.watch (id, last_seen, since) values (1, @last_seen, @since) on conflict (id) do nothing

-- Only if the row is still as it was seen.
-- name: keep_watch
update $schema$.watch w set last_seen = @last_seen, since = @since from (
    select k.id from $schema$.watch k where k.id = 1 and k.last_seen = @before_last_seen and k.since = @before_since for no key update skip locked) f
where w.id = f.id

-- name: load_due
select $task$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.duty = @duty and s.due <= @now order by s.due, s.task_no limit @most for no key update of s skip locked

-- name: load_overdue
select $task$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.overdue <= @now order by s.overdue, s.task_no limit @most for no key update of s skip locked

-- name: load_held
select $task$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id = any(@executors) order by s.task_no limit @most for no key update of s skip locked

-- name: load_dead
select $task$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id = any(@executors) order by s.task_no limit @most for no key update of s skip locked

-- name: dead_executors
select id from $schema$.executors where last_ping < @alive

-- name: forget_executors
delete from $schema$.executors e where e.id = any(array(
    select h.id from $schema$.executors h where h.id = any(@executors) and h.last_ping < @alive for update skip locked)) and e.last_ping < @alive
and not exists (select 1 from $schema$.states s where s.state = 2 and s.executor_id = e.id)

-- name: next_duty
select $now$, least(
    (select min(due) from $schema$.states where duty = 0),
    (select min(due) from $schema$.states where duty = 1),
    (select min(due) from $schema$.states where duty = 2),
    (select min(due) from $schema$.states where duty = 3),
    (select min(overdue) from $schema$.states where overdue is not null)),
    (select min(last_ping) from $schema$.executors), (select last_seen from $schema$.watch where id = 1), (select since from $schema$.watch where id = 1)

-- name: now
select $now$$limit$
