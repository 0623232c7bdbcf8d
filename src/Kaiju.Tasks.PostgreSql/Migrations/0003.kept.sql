-- Oldest package that may run beside it: 0.1.0
-- Failed tasks may be kept longer than finished ones, so each state has an index of its own by the time of the end.
create index states_kept on $schema$.states (state, ended, task_no) where ended is not null;
drop index $schema$.states_ended;
