-- One row by which managers know since when the store has been there for executors to ping. Written a few times in each
-- ping interval.
create table $schema$.watch (
    id smallint primary key check (id = 1),
    last_seen bigint not null,
    since bigint not null
);
