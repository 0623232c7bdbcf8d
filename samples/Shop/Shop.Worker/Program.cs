using Kaiju.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Shop.Worker;

// The worker runs the tasks that the API creates. Start as many workers as you need, on any number of machines.
var builder = Host.CreateApplicationBuilder(args);
var database = NpgsqlDataSource.Create(Environment.GetEnvironmentVariable("SHOP_DATABASE")
    ?? throw new InvalidOperationException("SHOP_DATABASE is not set; see samples/Shop/run.sh."));
builder.Services.AddSingleton(database);
builder.Services.AddKaijuTasks(
    options => (options.AppName, options.Roles) = ("shop", TaskRoles.Manager | TaskRoles.Executor))
    .UsePostgreSql(database)
    .AddCommands<OrderCommands>();

await builder.Build().RunAsync();
