-- name: insert_notifications
insert into $schema$.notifications (task_id, job_id, user_id, state, is_final, exit_code, error, result, created)
select n.task_id, n.job_id, n.user_id, n.state, n.is_final, n.exit_code, n.error, (
    select '[' || coalesce(string_agg(r.result, ',' order by r.stage), '') || ']'
    from $schema$.results r where r.task_no = n.task_no and r.run_no = n.run_no and r.pass = n.pass), n.created
from unnest($notification_arguments$) with ordinality as n ($notification_columns$, place)
order by n.place

-- name: list_notifications
select id, task_id, job_id, user_id, state, is_final, exit_code, error, result, created, is_read, found from (
    select n.*, row_number() over w as place, sum(octet_length(n.result)) over w as total,
        (count(*) over ())::int as found from (
        select * from (select * from $schema$.notifications n where n.id < @before order by n.id desc limit @scanned) n
        where (@user_id::text is null or n.user_id = @user_id) and (@is_read::boolean is null
            or n.is_read = @is_read) order by n.id desc limit @most) n
    window w as (order by n.id desc)) n
where place = 1 or total <= @most_bytes order by id desc

-- name: list_notifications_last
select id from $schema$.notifications where id < @before order by id desc limit 1 offset @scanned - 1

-- name: list_notifications_of_task
select id, task_id, job_id, user_id, state, is_final, exit_code, error, result, created, is_read, found from (
    select n.*, row_number() over w as place, sum(octet_length(n.result)) over w as total,
        (count(*) over ())::int as found from (
        select * from (select * from $schema$.notifications n where n.task_id = @task_id and n.id < @before
            order by n.id desc limit @scanned) n
        where (@user_id::text is null or n.user_id = @user_id) and (@is_read::boolean is null
            or n.is_read = @is_read) order by n.id desc limit @most) n
    window w as (order by n.id desc)) n
where place = 1 or total <= @most_bytes order by id desc

-- name: list_notifications_of_task_last
select id from $schema$.notifications where task_id = @task_id and id < @before order by id desc
    limit 1 offset @scanned - 1

-- name: list_notifications_of_user
select id, task_id, job_id, user_id, state, is_final, exit_code, error, result, created, is_read, found from (
    select n.*, row_number() over w as place, sum(octet_length(n.result)) over w as total,
        (count(*) over ())::int as found from (
        select * from (select * from $schema$.notifications n where n.user_id = @user_id and n.id < @before
            order by n.id desc limit @scanned) n
        where (@user_id::text is null or n.user_id = @user_id) and (@is_read::boolean is null
            or n.is_read = @is_read) order by n.id desc limit @most) n
    window w as (order by n.id desc)) n
where place = 1 or total <= @most_bytes order by id desc

-- name: list_notifications_of_user_last
select id from $schema$.notifications where user_id = @user_id and id < @before order by id desc
    limit 1 offset @scanned - 1

-- name: list_undelivered
select id, task_id, job_id, user_id, state, is_final, exit_code, error, result, created, is_read from (
    select n.*, row_number() over w as place, sum(octet_length(n.result)) over w as total from (
        select * from $schema$.notifications n where not n.is_delivered and n.id <> all(@except::bigint[])
            order by n.id limit @most) n
    window w as (order by n.id)) n
where place = 1 or total <= @most_bytes order by id

-- name: mark_read
$limited$update $schema$.notifications set is_read = true$from_limit$ where id = any(@ids) and not is_read returning id

-- name: mark_delivered
$limited$update $schema$.notifications set is_delivered = true$from_limit$ where id = any(@ids) and not is_delivered

-- name: delete_notifications
delete from $schema$.notifications where id = any(array(
    select o.id from (select id, created from $schema$.notifications order by id
        limit @most for update skip locked) o where o.created < @before)) returning id
