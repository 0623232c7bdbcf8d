-- name: insert_notifications
insert into $prefix$notifications (task_id, job_id, user_id, state, is_final, exit_code, error, result, created)
values (@task_id, @job_id, @user_id, @state, @is_final, @exit_code, @error, (
    select '[' || coalesce(group_concat(r.result, ','), '') || ']' from (
        select result from $prefix$results where task_no = @task_no and run_no = @run_no and pass = @pass
            order by stage) r), @created)

-- name: list_notifications
select n.id, n.task_id, n.job_id, n.user_id, n.state, n.is_final, n.exit_code, n.error, n.result, n.created, n.is_read,
    l.found from (
    select o.id, row_number() over w as place, sum(o.bytes) over w as total, count(*) over () as found from (
        select n.id, length(cast(n.result as blob)) as bytes from (
            select r.id, r.user_id, r.is_read from $prefix$notifications r where r.id < @before
                order by r.id desc limit @scanned) r
        cross join $prefix$notifications n on n.id = r.id
        where (@user_id is null or n.user_id = @user_id) and (@is_read is null or n.is_read = @is_read)
            order by n.id desc limit @most) o
    window w as (order by o.id desc)) l
cross join $prefix$notifications n on n.id = l.id
where l.place = 1 or l.total <= @most_bytes order by l.place

-- name: list_notifications_last
select id from $prefix$notifications where id < @before order by id desc limit 1 offset @scanned - 1

-- name: list_notifications_of_task
select n.id, n.task_id, n.job_id, n.user_id, n.state, n.is_final, n.exit_code, n.error, n.result, n.created, n.is_read,
    l.found from (
    select o.id, row_number() over w as place, sum(o.bytes) over w as total, count(*) over () as found from (
        select n.id, length(cast(n.result as blob)) as bytes from (
            select r.id, r.user_id, r.is_read from $prefix$notifications r where r.task_id = @task_id
                and r.id < @before order by r.id desc limit @scanned) r
        cross join $prefix$notifications n on n.id = r.id
        where (@user_id is null or n.user_id = @user_id) and (@is_read is null or n.is_read = @is_read)
            order by n.id desc limit @most) o
    window w as (order by o.id desc)) l
cross join $prefix$notifications n on n.id = l.id
where l.place = 1 or l.total <= @most_bytes order by l.place

-- name: list_notifications_of_task_last
select id from $prefix$notifications where task_id = @task_id and id < @before order by id desc
    limit 1 offset @scanned - 1

-- name: list_notifications_of_user
select n.id, n.task_id, n.job_id, n.user_id, n.state, n.is_final, n.exit_code, n.error, n.result, n.created, n.is_read,
    l.found from (
    select o.id, row_number() over w as place, sum(o.bytes) over w as total, count(*) over () as found from (
        select n.id, length(cast(n.result as blob)) as bytes from (
            select r.id, r.user_id, r.is_read from $prefix$notifications r where r.user_id = @user_id
                and r.id < @before order by r.id desc limit @scanned) r
        cross join $prefix$notifications n on n.id = r.id
        where (@user_id is null or n.user_id = @user_id) and (@is_read is null or n.is_read = @is_read)
            order by n.id desc limit @most) o
    window w as (order by o.id desc)) l
cross join $prefix$notifications n on n.id = l.id
where l.place = 1 or l.total <= @most_bytes order by l.place

-- name: list_notifications_of_user_last
select id from $prefix$notifications where user_id = @user_id and id < @before order by id desc
    limit 1 offset @scanned - 1

-- name: list_undelivered
select n.id, n.task_id, n.job_id, n.user_id, n.state, n.is_final, n.exit_code, n.error, n.result, n.created,
    n.is_read from (
    select o.id, row_number() over w as place, sum(o.bytes) over w as total from (
        select n.id, length(cast(n.result as blob)) as bytes
            from $prefix$notifications n indexed by $prefix$notifications_undelivered
        where n.is_delivered = 0 and n.id not in (select value from json_each(@except)) order by n.id limit @most) o
    window w as (order by o.id)) l
cross join $prefix$notifications n on n.id = l.id
where l.place = 1 or l.total <= @most_bytes order by l.place

-- name: mark_read
update $prefix$notifications set is_read = 1 where id in (select value from json_each(@ids))
    and is_read = 0 returning id

-- name: mark_delivered
update $prefix$notifications set is_delivered = 1 where id in (select value from json_each(@ids)) and is_delivered = 0

-- name: delete_notifications
delete from $prefix$notifications where id in (
    select id from (select id, created from $prefix$notifications order by id limit @most) o
        where o.created < @before) returning id
