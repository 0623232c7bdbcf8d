-- One row by which managers know since when the store has been there for executors to ping. Written a few times in each
-- ping interval.
create table $prefix$watch (
    id integer primary key check (id = 1),
    last_seen integer not null,
    since integer not null
) strict;
