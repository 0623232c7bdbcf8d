-- Failed tasks may be kept longer than finished ones, so that each state has its own order of ends.
create index $prefix$states_kept on $prefix$states (state, ended, task_no) where ended is not null;
drop index $prefix$states_ended;
