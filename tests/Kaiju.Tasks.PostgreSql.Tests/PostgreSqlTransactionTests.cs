using Kaiju.Tasks.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>A task and what it is about come into being together or not at all.</summary>
public sealed class PostgreSqlTransactionTests : IAsyncLifetime
{
    private readonly TaskCompletionSource<string> _ran = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _connectionString = "";
    private IHost? _host;

    private ITaskClient Client => _host!.Services.GetRequiredService<ITaskClient>();

    public async Task InitializeAsync()
    {
        var server = await Servers.PostgresAsync();
        _connectionString = server.ConnectionString(await server.CreateDatabaseAsync("transactions"));
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKaijuTasks(options => options.PollInterval = TimeSpan.FromMinutes(1))
            .UsePostgreSql(_connectionString)
            .AddCommand("do", (StageContext stage) => _ran.TrySetResult(stage.TaskId));
        _host = builder.Build();
        await _host.StartAsync();
        await using var context = new OrderContext(_connectionString);
        await context.Database.ExecuteSqlRawAsync("create table orders (id integer primary key)");
    }

    public async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
    }

    [Fact]
    public async Task Rolled_back_a_task_has_never_existed_and_committed_it_is_found_at_once()
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Client.CreateAsync(Definition("never"), new() { Transaction = transaction });
            await transaction.RollbackAsync();
        }

        (await Client.GetAsync("never")).Should().BeNull();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            var answer = await Client.CreateAsync(Definition("t"), new() { Transaction = transaction });
            answer.Result.Should().Be(CreateResult.Created);
            (await Client.GetAsync("t")).Should().BeNull("it is not committed");
            await transaction.CommitAsync();
        }

        (await _ran.Task.WaitAsync(TimeSpan.FromSeconds(30))).Should().Be(
            "t", "the commit carries a hint, and the poll comes once a minute");
    }

    [Fact]
    public async Task The_transactions_notification_says_what_was_created_and_a_skipped_creation_tells_nothing()
    {
        await Client.CreateAsync(Definition("t"));
        await using var listener = new NpgsqlConnection(_connectionString);
        await listener.OpenAsync();
        var payloads = new List<string>();
        listener.Notification += (_, notification) => payloads.Add(notification.Payload);
        await ExecuteAsync(listener, "listen kaiju_tasks");
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            (await Client.CreateAsync(
                Definition("t"),
                new()
                {
                    Transaction = transaction,
                    OnConflict = OnConflict.Skip,
                })).Result.Should().Be(CreateResult.Skipped);
            await ExecuteAsync(connection, "notify kaiju_tasks, 'skipped'");
            await transaction.CommitAsync();
        }

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Client.CreateAsync(Definition("u") with { AppName = "shop" }, new() { Transaction = transaction });
            await ExecuteAsync(connection, "notify kaiju_tasks, 'created'");
            await transaction.CommitAsync();
        }

        while (!payloads.Contains("created"))
        {
            await listener.WaitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        }

        // Those of no sender are of transactions; the others are what the host does besides.
        payloads.TakeWhile(payload => payload != "skipped").Select(HintPayload.Read)
            .Should().NotContain(read => read.Sender == "");
        payloads.SkipWhile(payload => payload != "skipped").Skip(1)
            .TakeWhile(payload => payload != "created").Select(HintPayload.Read)
            .Should().ContainSingle(read => read.Sender == "").Which.Hint.Should().Match<StoreHint>(
                hint => hint.Kinds == StoreHintKinds.Queued && hint.Apps.ToString() == "shop");

        static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task What_is_refused_leaves_the_transaction_as_it_was()
    {
        await Client.CreateAsync(Definition("t"));
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        await FluentActions.Awaiting(() => Client.CreateAsync(Definition("t"), new() { Transaction = transaction }))
            .Should()
            .ThrowAsync<TaskExistsException>();
        await FluentActions.Awaiting(
            () => Client.CreateAsync(new TaskDefinition { Commands = [] }, new() { Transaction = transaction }))
            .Should().ThrowAsync<TaskValidationException>();
        await Client.CreateAsync(Definition("u"), new() { Transaction = transaction });
        await transaction.CommitAsync();

        (await Client.GetAsync("u")).Should().NotBeNull();
        await FluentActions.Awaiting(() => Client.CreateAsync(Definition("v"), new() { Transaction = transaction }))
            .Should()
            .ThrowAsync<ArgumentException>().WithMessage("*has ended*");
    }

    [Fact]
    public async Task With_Entity_Framework_a_task_is_part_of_its_current_transaction()
    {
        await using var context = new OrderContext(_connectionString);
        foreach (var (id, commits) in new[] { (1, false), (2, true) })
        {
            await using var transaction = await context.Database.BeginTransactionAsync();
            context.Orders.Add(new Order { Id = id });
            await context.SaveChangesAsync();
            await Client.CreateAsync(
                Definition($"order-{id}"),
                new() { Transaction = (NpgsqlTransaction)context.Database.CurrentTransaction!.GetDbTransaction() });
            await (commits ? transaction.CommitAsync() : transaction.RollbackAsync());
            context.ChangeTracker.Clear();
        }

        (await context.Orders.Select(order => order.Id).ToListAsync()).Should().Equal(2);
        (await Client.GetAsync("order-1")).Should().BeNull();
        (await Client.GetAsync("order-2")).Should().NotBeNull();
    }

    /// <summary>What docs/transactions.md says of it.</summary>
    [Fact]
    public async Task EnsureCreated_does_nothing_beside_the_tables_of_tasks_and_CreateTables_creates_the_others()
    {
        var server = await Servers.PostgresAsync();
        var connectionString = server.ConnectionString(await server.CreateDatabaseAsync("ensure_created"));
        await using (var dataSource = NpgsqlDataSource.Create(connectionString))
        {
            await PostgreSqlSchema.MigrateAsync(dataSource);
        }

        await using var context = new OrderContext(connectionString);
        (await context.Database.EnsureCreatedAsync()).Should().BeFalse();
        await context.Orders.Invoking(orders => orders.CountAsync()).Should().ThrowAsync<PostgresException>();

        await context.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();

        (await context.Orders.CountAsync()).Should().Be(0);
    }

    private static TaskDefinition Definition(string id) => new() { Id = id, Commands = [new("do")] };
}

public sealed class Order
{
    public int Id { get; set; }
}

public sealed class OrderContext(string connectionString) : DbContext
{
    public DbSet<Order> Orders => Set<Order>();

    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) =>
        optionsBuilder.UseNpgsql(connectionString);

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Order>(order =>
    {
        order.ToTable("orders");
        order.Property(row => row.Id).HasColumnName("id").ValueGeneratedNever();
    });
}
