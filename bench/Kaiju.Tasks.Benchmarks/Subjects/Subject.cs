namespace Kaiju.Tasks.Benchmarks.Subjects;

/// <summary>Where an engine keeps its jobs, and how many it runs at once.</summary>
/// <param name="Store">A connection string, a file, or nothing for memory.</param>
/// <param name="Capacity">How many jobs at once; 0 for what the engine is measured with.</param>
/// <param name="Stages">How many stages a job has, where an engine knows stages.</param>
/// <param name="IsFirst">This process makes the tables; another one finds them.</param>
internal sealed record SubjectSettings(string Store, int Capacity = 0, int Stages = 1, bool IsFirst = true);

/// <summary>
/// An engine or a raw limit as the benchmark sees it: jobs by number go in, their handlers tell <see cref="Meter"/>.
/// </summary>
internal abstract class Subject : IAsyncDisposable
{
    /// <summary>The settings that a reader of the results must know.</summary>
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

    /// <summary>Jobs that are not yet recorded as done, but for those of later; 0 if there are none.</summary>
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
