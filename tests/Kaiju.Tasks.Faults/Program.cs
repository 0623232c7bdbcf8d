using Kaiju.Tasks.Faults;

// The same program is the one that does harm and, started again by itself, each of those that it is done to.
return args is ["worker", .. var worker] ? await Worker.RunAsync(worker) : await Command.RunAsync(args);
