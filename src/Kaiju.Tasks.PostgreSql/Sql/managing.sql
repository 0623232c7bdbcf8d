-- name: load_due
select $task$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.duty = @duty and s.due <= @now order by s.due, s.task_no limit @most for no key update of s skip locked

-- name: load_overdue
select $task$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.overdue <= @now order by s.overdue, s.task_no limit @most for no key update of s skip locked

-- name: load_held
select $task$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id = any(@executors) order by s.task_no limit @most for no key update of s

-- name: load_dead
select $task$, s.revision from $schema$.states s join $schema$.tasks t on t.task_no = s.task_no
where s.state = 2 and s.executor_id = any(@executors) order by s.task_no limit @most for no key update of s skip locked

-- name: dead_executors
select id from $schema$.executors where last_ping < @alive

-- name: forget_executors
delete from $schema$.executors e where e.id = any(@executors) and e.last_ping < @alive
and not exists (select 1 from $schema$.states s where s.state = 2 and s.executor_id = e.id)

-- name: next_duty
select $now$, least(
    (select min(due) from $schema$.states where duty = 0),
    (select min(due) from $schema$.states where duty = 1),
    (select min(due) from $schema$.states where duty = 2),
    (select min(due) from $schema$.states where duty = 3),
    (select min(overdue) from $schema$.states where overdue is not null)),
    (select min(last_ping) from $schema$.executors)

-- name: now
select $now$
