using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Relational;

/// <summary>A task and the rows that belong to it are committed together or not at all.</summary>
public abstract class TransactionTests : IAsyncLifetime
{
    private readonly TaskCompletionSource<string> _ran = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _connectionString = "";
    private IHost? _host;

    protected ITaskClient Client => _host!.Services.GetRequiredService<ITaskClient>();

    public async Task InitializeAsync()
    {
        _connectionString = await NewDatabaseAsync();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var tasks = builder.Services.AddKaijuTasks(options => options.PollInterval = TimeSpan.FromMinutes(1))
            .AddCommand("do", (StageContext stage) => _ran.TrySetResult(stage.TaskId));
        UseStore(tasks, _connectionString);
        _host = builder.Build();
        await _host.StartAsync();
        await using var context = NewContext(_connectionString);
        await context.Database.ExecuteSqlRawAsync("create table orders (id integer primary key)");
    }

    public virtual async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
    }

    [Fact]
    public async Task A_rolled_back_task_does_not_exist_and_a_committed_one_is_found_at_once()
    {
        await using var connection = await OpenAsync();
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
            "t", "a hint of the store comes far sooner than the next poll");
    }

    [Fact]
    public async Task A_refused_creation_leaves_the_transaction_unchanged()
    {
        await Client.CreateAsync(Definition("t"));
        await using var connection = await OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var joined = new CreateOptions { Transaction = transaction };

        await FluentActions.Awaiting(() => Client.CreateAsync(Definition("t"), joined)).Should()
            .ThrowAsync<TaskExistsException>();
        await FluentActions.Awaiting(() => Client.CreateAsync(new TaskDefinition { Commands = [] }, joined))
            .Should().ThrowAsync<TaskValidationException>();
        await Client.CreateAsync(Definition("u"), joined);
        await transaction.CommitAsync();

        (await Client.GetAsync("u")).Should().NotBeNull();
        await FluentActions.Awaiting(() => Client.CreateAsync(Definition("v"), joined)).Should()
            .ThrowAsync<ArgumentException>().WithMessage("*has ended*");
    }

    [Fact]
    public async Task With_Entity_Framework_a_task_joins_its_current_transaction()
    {
        await using var context = NewContext(_connectionString);
        foreach (var (id, commits) in new[] { (1, false), (2, true) })
        {
            await using var transaction = await context.Database.BeginTransactionAsync();
            context.Orders.Add(new Order { Id = id });
            await context.SaveChangesAsync();
            await Client.CreateAsync(
                Definition($"order-{id}"),
                new() { Transaction = context.Database.CurrentTransaction!.GetDbTransaction() });
            await (commits ? transaction.CommitAsync() : transaction.RollbackAsync());
            context.ChangeTracker.Clear();
        }

        (await context.Orders.Select(order => order.Id).ToListAsync()).Should().Equal(2);
        (await Client.GetAsync("order-1")).Should().BeNull();
        (await Client.GetAsync("order-2")).Should().NotBeNull();
    }

    /// <summary>See docs/how-to/transactions.md.</summary>
    [Fact]
    public async Task EnsureCreated_does_nothing_beside_the_tables_of_tasks_and_CreateTables_adds_the_others()
    {
        var connectionString = await NewDatabaseAsync();
        await MigrateAsync(connectionString);
        await using var context = NewContext(connectionString);
        (await context.Database.EnsureCreatedAsync()).Should().BeFalse();
        await context.Orders.Invoking(orders => orders.CountAsync()).Should().ThrowAsync<DbException>();

        await context.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();

        (await context.Orders.CountAsync()).Should().Be(0);
    }

    protected static TaskDefinition Definition(string id) => new() { Id = id, Commands = [new("do")] };

    /// <summary>Creates an empty database that lasts as long as the test.</summary>
    /// <returns>Its connection string.</returns>
    protected abstract Task<string> NewDatabaseAsync();

    /// <summary>Creates the tables of tasks.</summary>
    protected abstract Task MigrateAsync(string connectionString);

    /// <summary>Registers the store. A committed creation must be noticed within seconds.</summary>
    protected abstract void UseStore(KaijuTasksBuilder tasks, string connectionString);

    protected abstract DbConnection NewConnection(string connectionString);

    protected abstract void UseDatabase(DbContextOptionsBuilder options, string connectionString);

    protected async Task<DbConnection> OpenAsync()
    {
        var connection = NewConnection(_connectionString);
        await connection.OpenAsync();
        return connection;
    }

    private OrderContext NewContext(string connectionString)
    {
        var options = new DbContextOptionsBuilder<OrderContext>();
        UseDatabase(options, connectionString);
        return new OrderContext(options.Options);
    }
}

public sealed class Order
{
    public int Id { get; set; }
}

public sealed class OrderContext(DbContextOptions<OrderContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Order>(order =>
    {
        order.ToTable("orders");
        order.Property(row => row.Id).HasColumnName("id").ValueGeneratedNever();
    });
}
