-- name: insert_notifications
insert into $prefix$notifications (task_id, job_id, user_id, state, is_final, exit_code, error, result, created)
values (@task_id, @job_id, @user_id, @state, @is_final, @exit_code, @error, (
    select '[' || coalesce(group_concat(r.result, ','), '') || ']' from (
        select result from $prefix$results where task_no = @task_no and run_no = @run_no and pass = @pass order by stage) r), @created)

-- name: list_notifications
select id, task_id, job_id, user_id, state, is_final, exit_code, error, result, created, is_read from (
    select * from $prefix$notifications where id < @before order by id desc limit @scanned) n
where (@user_id is null or user_id = @user_id) and (@is_read is null or is_read = @is_read) order by id desc limit @most

-- name: list_notifications_last
select id from $prefix$notifications where id < @before order by id desc limit 1 offset @scanned - 1

-- name: list_notifications_of_task
select id, task_id, job_id, user_id, state, is_final, exit_code, error, result, created, is_read from (
    select * from $prefix$notifications where task_id = @task_id and id < @before order by id desc limit @scanned) n
where (@user_id is null or user_id = @user_id) and (@is_read is null or is_read = @is_read) order by id desc limit @most

-- name: list_notifications_of_task_last
select id from $prefix$notifications where task_id = @task_id and id < @before order by id desc limit 1 offset @scanned - 1

-- name: list_notifications_of_user
select id, task_id, job_id, user_id, state, is_final, exit_code, error, result, created, is_read from (
    select * from $prefix$notifications where user_id = @user_id and id < @before order by id desc limit @scanned) n
where (@user_id is null or user_id = @user_id) and (@is_read is null or is_read = @is_read) order by id desc limit @most

-- name: list_notifications_of_user_last
select id from $prefix$notifications where user_id = @user_id and id < @before order by id desc limit 1 offset @scanned - 1

-- name: list_undelivered
select id, task_id, job_id, user_id, state, is_final, exit_code, error, result, created, is_read from $prefix$notifications indexed by $prefix$notifications_undelivered
where is_delivered = 0 order by id limit @most

-- name: mark_read
update $prefix$notifications set is_read = 1 where id in (select value from json_each(@ids)) and is_read = 0 returning id

-- name: mark_delivered
update $prefix$notifications set is_delivered = 1 where id in (select value from json_each(@ids)) and is_delivered = 0

-- name: delete_notifications
delete from $prefix$notifications where id in (
    select id from (select id, created from $prefix$notifications order by id limit @most) o where o.created < @before) returning id
