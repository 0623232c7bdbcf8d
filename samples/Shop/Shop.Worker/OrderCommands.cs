using System.Globalization;
using Kaiju.Tasks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Shop.Worker;

/// <summary>The stages of an order. Each may run more than once, and has the same effect each time.</summary>
internal sealed class OrderCommands(NpgsqlDataSource database, ILogger<OrderCommands> logger)
{
    [Command("orders.reserve")]
    public Task ReserveAsync(string id, CancellationToken cancellationToken) =>
        SetAsync(id, "reserved", null, cancellationToken);

    [Command("orders.charge")]
    public async Task<string> ChargeAsync(
        string id, decimal total, string card, StageContext stage, CancellationToken cancellationToken)
    {
        if (card.Length < 4)
        {
            throw new ArgumentException($"The card \"{card}\" has no number.");
        }

        // The key is the same when the stage runs again, so that the payment service charges once.
        logger.LogInformation("Charging {Total} for order {Order}, request {Request}", total, id, stage.IdempotencyKey);
        await SetAsync(id, "paid", null, cancellationToken);
        return string.Create(CultureInfo.InvariantCulture, $"{total} with the card that ends in {card[^4..]}");
    }

    [Command("orders.ship")]
    public async Task<string> ShipAsync(string id, CancellationToken cancellationToken)
    {
        var tracking = $"KT-{id.ToUpperInvariant()}";
        await SetAsync(id, "shipped", tracking, cancellationToken);
        return tracking;
    }

    private async Task SetAsync(string id, string status, string? tracking, CancellationToken cancellationToken)
    {
        await using var update = database.CreateCommand("update orders set status = $2, tracking = $3 where id = $1");
        update.Parameters.Add(new NpgsqlParameter { Value = id });
        update.Parameters.Add(new NpgsqlParameter { Value = status });
        update.Parameters.Add(
            new NpgsqlParameter
            {
                Value = (object?)tracking ?? DBNull.Value,
                NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text,
            });
        if (await update.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            throw new InvalidOperationException($"There is no order {id}.");
        }
    }
}
