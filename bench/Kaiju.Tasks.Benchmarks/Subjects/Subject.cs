namespace Kaiju.Tasks.Benchmarks.Subjects;

/// <summary>An engine's store and number of slots.</summary>
/// <param name="Store">A connection string, a file, or nothing for memory.</param>
/// <param name="Capacity">The number of concurrent jobs; 0 for the engine's usual number.</param>
/// <param name="Stages">The number of stages of a job, if an engine has stages.</param>
/// <param name="IsFirst">True if this process creates the tables; another one finds them.</param>
internal sealed record SubjectSettings(string Store, int Capacity = 0, int Stages = 1, bool IsFirst = true);

/// <summary>
/// An engine or a raw limit in the benchmark: it takes numbered jobs, and their handlers report to <see cref="Meter"/>.
/// </summary>
internal abstract class Subject : IAsyncDisposable
{
    /// <summary>The settings shown with the results.</summary>
    public abstract string Description { get; }

    /// <summary>True if <see cref="CreateManyAsync"/> is more than a loop.</summary>
    public virtual bool HasBulk => false;

    public abstract Task OpenAsync();

    public abstract Task CreateAsync(int job);

    public virtual async Task CreateManyAsync(int first, int count)
    {
        for (var job = first; job < first + count; job++)
        {
            await CreateAsync(job);
        }
    }

    public abstract Task StartWorkersAsync();

    public abstract Task StopWorkersAsync();

    /// <summary>The number of jobs that are not recorded as done, except those that are due later.</summary>
    public abstract Task<long> CountLeftAsync();

    public abstract ValueTask DisposeAsync();

    public static Subject Of(string name, SubjectSettings settings) => name switch
    {
        "kaiju-memory" or "kaiju-sqlite" or "kaiju-postgresql" => new KaijuEngine(name["kaiju-".Length..], settings),
        "hangfire-memory" => new HangfireEngine(false, settings),
        "hangfire-postgresql" => new HangfireEngine(true, settings),
        "quartz-memory" or "quartz-sqlite" or "quartz-postgresql" =>
            new QuartzEngine(name["quartz-".Length..], settings),
        "limit-sqlite" => new SqliteLimit(settings),
        "limit-postgresql" => new PostgreSqlLimit(settings),
        _ => throw new ArgumentException($"There is no engine \"{name}\"."),
    };
}
