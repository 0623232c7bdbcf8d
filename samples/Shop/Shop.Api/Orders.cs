using Kaiju.Tasks;
using Npgsql;

namespace Shop.Api;

/// <summary>The order of a customer.</summary>
internal sealed record NewOrder(string Id, string Item, decimal Total);

/// <summary>The payment of a customer.</summary>
internal sealed record Payment(string Card);

/// <summary>An order as a customer sees it.</summary>
internal sealed record Order(
    string Id, string Item, decimal Total, string Status, string? Tracking, bool WaitsForPayment);

/// <summary>The shop's own table, and the tasks of its rows.</summary>
internal sealed class Orders(NpgsqlDataSource database, ITaskClient tasks)
{
    public async Task CreateTableAsync()
    {
        await using var create = database.CreateCommand(
            "create table if not exists orders (id text primary key, item text not null, total numeric not null, "
                + "status text not null default 'placed', tracking text)");
        await create.ExecuteNonQueryAsync();
    }

    /// <summary>Creates the order and its task in one transaction.</summary>
    public async Task<Order> PlaceAsync(NewOrder order)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var insert = new NpgsqlCommand(
            "insert into orders (id, item, total) values ($1, $2, $3)", connection, transaction)
        {
            Parameters = { new() { Value = order.Id }, new() { Value = order.Item }, new() { Value = order.Total } },
        };
        await tasks.CreateAsync(OrderTask.Of(order), new() { Transaction = transaction });
        await insert.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return new Order(order.Id, order.Item, order.Total, "placed", null, false);
    }

    public async Task<Order?> FindAsync(string id)
    {
        await using var select = database.CreateCommand(
            "select item, total, status, tracking from orders where id = $1");
        select.Parameters.Add(new() { Value = id });
        await using var row = await select.ExecuteReaderAsync();
        if (!await row.ReadAsync())
        {
            return null;
        }

        var task = await tasks.GetAsync(OrderTask.IdOf(id));
        return new Order(
            id,
            row.GetString(0),
            row.GetDecimal(1),
            row.GetString(2),
            row.IsDBNull(3) ? null : row.GetString(3),
            task?.Wait == WaitKind.Message);
    }
}

/// <summary>The life of an order, as a task: reserve, wait for the payment, charge, ship.</summary>
internal static class OrderTask
{
    public static string IdOf(string order) => $"order-{order}";

    public static TaskDefinition Of(NewOrder order) => new()
    {
        Id = IdOf(order.Id),
        Kws = new { id = order.Id, total = order.Total },
        Commands =
        [
            new("orders.reserve", new { id = "[kws.id]" }),
            new MessageCommand { MaxTimeout = TimeSpan.FromDays(3) },
            new("orders.charge", new { id = "[kws.id]", total = "[kws.total]", card = "[1.card]" })
            {
                MaxTimeout = TimeSpan.FromSeconds(30),
            },
            new("orders.ship", new { id = "[kws.id]" }),
        ],
        MaxRetries = 5,
        Group = "orders",
    };
}
