-- Failed tasks may be kept longer than finished ones, so that each state has its own order of ends.
create index states_kept on $schema$.states (state, ended, task_no) where ended is not null;
drop index $schema$.states_ended;
