using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Kaiju.Tasks.Relational;
using Kaiju.Tasks.TestServers;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>The sample with two processes, started by its script and used as a customer would.</summary>
public sealed class ShopTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    private readonly HttpClient _shop = new();
    private Process? _script;

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        var url = $"http://127.0.0.1:{Programs.FreePort()}";
        var start = new ProcessStartInfo(Path.Combine(Repository.Root, "samples", "Shop", "run.sh"), [url]);
        start.Environment["SHOP_DATABASE"] = server.ConnectionString(await server.CreateDatabaseAsync("shop"));
        start.Environment["SHOP_NO_BUILD"] = "1";
        start.Environment["SHOP_CONFIGURATION"] = Repository.Configuration;
        _script = Process.Start(start);
        _shop.BaseAddress = new Uri(url);
    }

    public async Task DisposeAsync()
    {
        Programs.Terminate(_script!.Id);
        await _script.WaitForExitAsync().WaitAsync(_bound);
    }

    public void Dispose()
    {
        _shop.Dispose();
        _script?.Dispose();
    }

    [Fact]
    public async Task An_order_is_shipped_when_it_is_paid()
    {
        var order = new { id = "42", item = "a kaiju", total = 12.5m };
        await UntilAsync(async () => (await _shop.GetAsync("/orders/none")).StatusCode == HttpStatusCode.NotFound);
        (await _shop.PostAsJsonAsync(
            "/orders",
            new { id = "41", item = "nothing", total = 0 })).StatusCode.Should().Be(HttpStatusCode.BadRequest);
        (await _shop.PostAsJsonAsync(
            "/orders/42/payment",
            new { card = "4111111111111111" })).StatusCode.Should().Be(HttpStatusCode.Conflict,
            "there is no such order yet");

        (await _shop.PostAsJsonAsync("/orders", order)).StatusCode.Should().Be(HttpStatusCode.Accepted);
        (await _shop.PostAsJsonAsync("/orders", order)).IsSuccessStatusCode.Should().BeFalse(
            "the order is there already, and its task");
        await UntilAsync(async () => (await GetAsync("42")).GetProperty("waitsForPayment").GetBoolean());
        (await GetAsync("42")).GetProperty("status").GetString().Should().Be("reserved");

        (await _shop.PostAsJsonAsync(
            "/orders/42/payment", new { card = "4111111111111111" })).StatusCode.Should().Be(HttpStatusCode.OK);
        (await _shop.PostAsJsonAsync(
            "/orders/42/payment",
            new { card = "4111111111111111" })).StatusCode.Should().Be(HttpStatusCode.Conflict, "it is paid once");
        await UntilAsync(async () => (await GetAsync("42")).GetProperty("status").GetString() == "shipped");
        (await GetAsync("42")).GetProperty("tracking").GetString().Should().Be("KT-42");
    }

    private async Task<JsonElement> GetAsync(string id) => await _shop.GetFromJsonAsync<JsonElement>($"/orders/{id}");

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var bound = new CancellationTokenSource(_bound);
        while (true)
        {
            try
            {
                if (await isSo())
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // The shop is not open yet.
            }

            bound.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
