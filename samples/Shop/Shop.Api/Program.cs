using Kaiju.Tasks;
using Npgsql;
using Shop.Api;

// The API creates and steers tasks; the worker beside it runs them, see Shop.Worker.
var builder = WebApplication.CreateBuilder(args);
var database = NpgsqlDataSource.Create(Environment.GetEnvironmentVariable("SHOP_DATABASE")
    ?? throw new InvalidOperationException("SHOP_DATABASE is not set; see samples/Shop/run.sh."));
builder.Services.AddSingleton(database);
builder.Services.AddSingleton<Orders>();
builder.Services.AddKaijuTasks(options => (options.AppName, options.Roles) = ("shop", TaskRoles.Client))
    .UsePostgreSql(database);

await using var app = builder.Build();
await app.Services.GetRequiredService<Orders>().CreateTableAsync();

app.MapPost("/orders", async (NewOrder order, Orders orders) =>
    order.Total <= 0
        ? Results.BadRequest(new { error = $"total is {order.Total}; it must be more than 0." })
        : Results.Accepted($"/orders/{order.Id}", await orders.PlaceAsync(order)));

// The order's task waits for this message. An order whose task does not wait cannot be paid.
app.MapPost("/orders/{id}/payment", async (string id, Payment payment, ITaskClient tasks) =>
    await tasks.SendMessageAsync(OrderTask.IdOf(id), payment)
        ? Results.Ok(new { id, paid = true })
        : Results.Conflict(new { error = $"The order {id} does not wait for a payment." }));

app.MapGet(
    "/orders/{id}",
    async (string id, Orders orders) =>
        await orders.FindAsync(id) is { } order ? Results.Ok(order) : Results.NotFound());

await app.RunAsync();
