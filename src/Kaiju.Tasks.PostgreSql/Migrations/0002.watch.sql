-- Oldest package that may run beside it: 0.1.0
-- One row that tells managers since when executors have been able to reach the store. Written a few times in each ping
-- interval.
create table $schema$.watch (
    id smallint primary key check (id = 1),
    last_seen bigint not null,
    since bigint not null
);
