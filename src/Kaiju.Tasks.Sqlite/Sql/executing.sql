-- name: load_queued
select $task$ from $prefix$states s join $prefix$tasks t on t.task_no = s.task_no
where s.state = 1 and s.enabled = 1 and s.app = @app order by s.priority desc, s.queued_at, s.task_no limit @most

-- name: has_queued
select exists (
    select 1 from json_each(@apps) a where exists (
        select 1 from $prefix$states s where s.state = 1 and s.enabled = 1 and s.app = a.value))

-- name: held_claims
select s.claim from json_each(@ids) i join json_each(@claims) c on c.key = i.key
join $prefix$tasks t on t.id = i.value join $prefix$states s on s.task_no = t.task_no
where s.claim = c.value

-- name: set_ping
insert into $prefix$executors (id, last_ping) values (@executor, @ping)
on conflict (id) do update set last_ping = excluded.last_ping

-- name: know_executor
insert into $prefix$executors (id, last_ping) values (@executor, @ping) on conflict (id) do nothing

-- name: delete_executor
delete from $prefix$executors where id = @executor

-- name: list_executors
select id, last_ping from $prefix$executors order by id
