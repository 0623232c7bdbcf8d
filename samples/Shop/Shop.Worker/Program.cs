using Kaiju.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Shop.Worker;

// The worker runs what the API has created. Start as many as there is work for, on as many machines.
var builder = Host.CreateApplicationBuilder(args);
var database = NpgsqlDataSource.Create(Environment.GetEnvironmentVariable("SHOP_DATABASE")
    ?? throw new InvalidOperationException("SHOP_DATABASE names no database; samples/Shop/run.sh says how."));
builder.Services.AddSingleton(database);
builder.Services.AddKaijuTasks(
    options => (options.AppName, options.Roles) = ("shop", TaskRoles.Manager | TaskRoles.Executor))
    .UsePostgreSql(database)
    .AddCommands<OrderCommands>();

await builder.Build().RunAsync();
