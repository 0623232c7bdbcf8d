using Kaiju.Tasks.Faults;

// The program does harm; started again by itself, it is one of the harmed processes.
return args is ["worker", .. var worker] ? await Worker.RunAsync(worker) : await Command.RunAsync(args);
