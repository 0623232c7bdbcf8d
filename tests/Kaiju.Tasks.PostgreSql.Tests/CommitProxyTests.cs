using Kaiju.Tasks.TestServers;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>The proxy harms commits as documented, so the tests that use it are valid.</summary>
public sealed class CommitProxyTests : IAsyncLifetime
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    private string _connectionString = "";

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _connectionString = server.ConnectionString(await server.CreateDatabaseAsync("proxy"), "Pooling=false");
        await ExecuteAsync(_connectionString, "create table notes (n integer)");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData(CutMoment.Before, CutKind.Close, true, 0)]
    [InlineData(CutMoment.Before, CutKind.Close, false, 0)]
    [InlineData(CutMoment.Before, CutKind.Reset, true, 0)]
    [InlineData(CutMoment.Before, CutKind.Blackhole, false, 0)]
    [InlineData(CutMoment.After, CutKind.Close, true, 1)]
    [InlineData(CutMoment.After, CutKind.Close, false, 1)]
    [InlineData(CutMoment.After, CutKind.Reset, false, 1)]
    [InlineData(CutMoment.After, CutKind.Blackhole, true, 1)]
    public async Task A_cut_commit_happens_or_not_and_its_client_gets_no_answer(
        CutMoment moment, CutKind kind, bool isExplicit, int carriedOut)
    {
        await using var proxy = NewProxy();
        proxy.HarmNext(new CommitHarm(moment, kind, TimeSpan.FromMilliseconds(50)));

        await FluentActions.Awaiting(() => InsertAsync(proxy, isExplicit).WaitAsync(_bound)).Should()
            .ThrowAsync<NpgsqlException>();

        proxy.Harms.Should().Be(1);
        proxy.LastHarmed!.Should().BeEquivalentTo(new { IsExplicit = isExplicit, Writes = true });
        (await CountAsync()).Should().Be(carriedOut);
        await InsertAsync(proxy, isExplicit);
        (await CountAsync()).Should().Be(carriedOut + 1, "the next commit passes");
    }

    [Theory]
    [InlineData(CutMoment.Before)]
    [InlineData(CutMoment.After)]
    public async Task A_delayed_commit_is_answered_later(CutMoment moment)
    {
        var length = TimeSpan.FromMilliseconds(100);
        await using var proxy = NewProxy();
        proxy.HarmNext(new CommitHarm(moment, CutKind.Delay, length));
        var began = TimeProvider.System.GetTimestamp();

        await InsertAsync(proxy, true).WaitAsync(_bound);

        TimeProvider.System.GetElapsedTime(began).Should().BeGreaterThanOrEqualTo(length);
        (await CountAsync()).Should().Be(1);
    }

    [Fact]
    public async Task The_selected_commit_is_harmed_and_no_other()
    {
        await using var proxy = NewProxy();
        proxy.HarmNext(new CommitHarm(CutMoment.Before, CutKind.Close), nth: 2, commit => commit.IsExplicit);

        await InsertAsync(proxy, false);
        await InsertAsync(proxy, true);
        await FluentActions.Awaiting(() => InsertAsync(proxy, true).WaitAsync(_bound)).Should()
            .ThrowAsync<NpgsqlException>();
        await InsertAsync(proxy, true);

        (await CountAsync()).Should().Be(3);
    }

    private CommitProxy NewProxy() => new(new NpgsqlConnectionStringBuilder(_connectionString).Port);

    private async Task InsertAsync(CommitProxy proxy, bool isExplicit)
    {
        var through = new NpgsqlConnectionStringBuilder(_connectionString)
        {
            Port = proxy.Port,
            CommandTimeout = 1,
            CancellationTimeout = 500,
        };
        await using var connection = new NpgsqlConnection(through.ToString());
        await connection.OpenAsync();
        await using var transaction = isExplicit ? await connection.BeginTransactionAsync() : null;
        await using (var insert = new NpgsqlCommand("insert into notes select $1", connection)
        {
            Parameters = { new NpgsqlParameter<int> { TypedValue = 1 } },
        })
        {
            await insert.ExecuteNonQueryAsync();
        }

        if (transaction is not null)
        {
            await transaction.CommitAsync();
        }
    }

    private async Task<long> CountAsync()
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var count = new NpgsqlCommand("select count(*) from notes", connection);
        return (long)(await count.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
