namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>The measurements, and the ratios of their figures.</summary>
internal static class Plan
{
    public static IReadOnlyList<Ratio> Ratios { get; } =
    [
        Ratio.AtLeast(0.5, "postgresql drain / raw limit", "pg", "pg-limit", "drain_per_s"),
        Ratio.AtLeast(60, "postgresql drain / Hangfire", "pg", "pg-hangfire", "drain_per_s"),
        Ratio.AtLeast(40, "postgresql drain / Quartz", "pg", "pg-quartz", "drain_per_s"),
        Ratio.AtLeast(
            0.6,
            "postgresql stages a second of 4-stage tasks / raw limit's tasks",
            "pg-4",
            "pg-limit",
            "stages_per_s",
            "drain_per_s"),
        Ratio.AtLeast(1.2, "postgresql creation by 8 callers / raw inserts by 8", "pg", "pg-limit", "create8_per_s"),
        Ratio.AtLeast(
            4,
            "postgresql creation by 64 callers / raw inserts by 8",
            "pg",
            "pg-limit",
            "create64_per_s",
            "create8_per_s"),
        Ratio.AtLeast(0.35, "postgresql bulk creation / raw COPY", "pg", "pg-limit", "bulk_per_s"),
        Ratio.AtMost(
            1.1, "postgresql latency p50, same process / raw limit", "pg-latency", "pg-limit-latency", "p50_ms"),
        Ratio.AtMost(
            1.5, "postgresql latency p99, same process / raw limit", "pg-latency", "pg-limit-latency", "p99_ms"),
        Ratio.AtMost(
            1.1,
            "postgresql latency p50, other process / raw limit",
            "pg-latency-other",
            "pg-limit-latency-other",
            "p50_ms"),
        Ratio.AtMost(
            1.5,
            "postgresql latency p99, other process / raw limit",
            "pg-latency-other",
            "pg-limit-latency-other",
            "p99_ms"),
        Ratio.AtLeast(
            0.85,
            "postgresql drain beside 200,000 finished and 200,000 scheduled / empty",
            "pg-200k",
            "pg-empty",
            "drain_per_s"),
        Ratio.AtLeast(
            0.75,
            "postgresql drain beside 1,000,000 finished and 1,000,000 scheduled / empty",
            "pg-1m",
            "pg-empty",
            "drain_per_s"),
        Ratio.Figure(
            0.85, false, "postgresql drain behind 200,000 tasks of an unknown command / alone", "pg-held", "ratio"),
        Ratio.Figure(
            0.85, false, "sqlite drain behind 200,000 tasks of an unknown command / alone", "sqlite-held", "ratio"),
        new(
            "postgresql WAL of a 1-stage task / raw limit",
            2.2,
            true,
            results => Wal(results, "pg") / Wal(results, "pg-limit"),
            "pg",
            "pg-limit"),
        new(
            "postgresql WAL of a stage with a 100 KB result / 100 KB",
            1.5,
            true,
            results => results.Median("pg-payload", "payload_wal") / 102_400,
            "pg-payload"),
        Ratio.AtLeast(
            1,
            "postgresql drain by 2 processes / by 1",
            "pg-executors",
            "pg-executors",
            "drain2_per_s",
            "drain1_per_s"),
        Ratio.AtLeast(
            1,
            "postgresql drain by 4 processes / by 1",
            "pg-executors",
            "pg-executors",
            "drain4_per_s",
            "drain1_per_s"),
        Ratio.Figure(
            0.5, false, "postgresql least share of 2 processes / an equal one", "pg-executors", "least_share2"),
        Ratio.Figure(
            0.5, false, "postgresql least share of 4 processes / an equal one", "pg-executors", "least_share4"),
        Ratio.AtLeast(0.4, "sqlite drain / raw limit", "sqlite", "sqlite-limit", "drain_per_s"),
        Ratio.AtLeast(20, "sqlite drain / Quartz", "sqlite", "sqlite-quartz", "drain_per_s"),
        Ratio.AtLeast(6, "memory drain / Quartz", "memory", "memory-quartz", "drain_per_s"),
        Ratio.AtLeast(15, "memory drain / Hangfire", "memory", "memory-hangfire", "drain_per_s"),
        Ratio.Figure(3072, true, "memory bytes allocated for a task", "memory", "drain_allocated"),
        Ratio.Figure(0.01, true, "postgresql idle, share of a core", "pg-idle", "cpu_share"),
        Ratio.Figure(3, true, "postgresql idle, statements a second", "pg-idle", "statements_per_s"),
        Ratio.Figure(
            1.1,
            true,
            "postgresql statements of a task beside 1,000 waiters for others / without",
            "pg-waiters",
            "ratio1000"),
    ];

    /// <summary>
    /// The measurements that the ratios need, within a minute: few processes, since each is compiled anew. Idle
    /// measurements come before those that fill the server.
    /// </summary>
    public static IReadOnlyList<Sitting> Quick { get; } =
    [
        new(
        [
            new("sqlite-limit", "limit-sqlite", "throughput", "--bulk 20000"),
            new("sqlite", "kaiju-sqlite", "throughput", "--bulk 10000 --warm 2000"),
            new("sqlite-quartz", "quartz-sqlite", "throughput", "--bulk 300 --warm 30"),
            new("pg-limit-latency", "limit-postgresql", "latency", "--capacity 1 --jobs 25"),
            new("pg-limit-latency-other", "limit-postgresql", "latency-other", "--capacity 1 --jobs 25"),
            new("pg-latency", "kaiju-postgresql", "latency", "--jobs 25"),
            new("pg-latency-other", "kaiju-postgresql", "latency-other", "--jobs 25"),
            new("pg-idle", "kaiju-postgresql", "idle", "--seconds 2"),
            new("pg-limit", "limit-postgresql", "throughput", "--create8 3000 --bulk 8000 --warm 2000"),
            new("pg", "kaiju-postgresql", "throughput", "--create8 3000 --create64 3200 --bulk 8000 --warm 2000"),
            new("pg-4", "kaiju-postgresql", "throughput", "--stages 4 --bulk 2500 --warm 500"),
            new("pg-payload", "kaiju-postgresql", "payload", "--stages 20 --characters 102400"),
            new("pg-executors", "kaiju-postgresql", "executors", "--bulk 3000 --hasty 1"),
            new("pg-empty", "kaiju-postgresql", "throughput", "--bulk 5000 --warm 200"),
            new("pg-hangfire", "hangfire-postgresql", "throughput", "--create1 40 --warm 10"),
            new("pg-quartz", "quartz-postgresql", "throughput", "--bulk 100 --warm 10"),
            new("pg-200k", "kaiju-postgresql", "throughput", "--bulk 5000 --warm 200 --backlog 200000"),
        ]),
        new("memory", "kaiju-memory", "throughput", "--bulk 50000 --warm 20000"),
        new("memory-quartz", "quartz-memory", "throughput", "--bulk 20000 --warm 2000"),
        new("memory-hangfire", "hangfire-memory", "throughput", "--create1 3000 --warm 500"),
    ];

    public static IReadOnlyList<Sitting> Full { get; } =
    [
        new("pg-limit", "limit-postgresql", "throughput", "--create1 500 --create8 4000 --bulk 30000 --warm 10000"),
        new(
            "pg",
            "kaiju-postgresql",
            "throughput",
            "--create1 500 --create8 4000 --create64 10000 --bulk 30000 --warm 10000"),
        new("pg-hangfire", "hangfire-postgresql", "throughput", "--create1 250 --create8 250 --warm 50"),
        new("pg-quartz", "quartz-postgresql", "throughput", "--create1 200 --create8 200 --bulk 600 --warm 50"),
        new("pg-16", "kaiju-postgresql", "throughput", "--bulk 10000 --warm 3000 --capacity 16", 1),
        new("pg-4", "kaiju-postgresql", "throughput", "--stages 4 --bulk 10000 --warm 3000"),
        new("pg-20", "kaiju-postgresql", "throughput", "--stages 20 --bulk 2000 --warm 500", 1),
        new(
        [
            new("pg-limit-latency", "limit-postgresql", "latency", "--capacity 1 --jobs 100"),
            new("pg-limit-latency-other", "limit-postgresql", "latency-other", "--capacity 1 --jobs 100"),
        ]),
        new(
        [
            new("pg-latency", "kaiju-postgresql", "latency", "--jobs 100"),
            new("pg-latency-other", "kaiju-postgresql", "latency-other", "--jobs 100"),
        ]),
        new("pg-executors", "kaiju-postgresql", "executors", "--bulk 30000"),
        new("pg-payload-1k", "kaiju-postgresql", "payload", "--stages 20 --characters 1024 --tasks 10", 1),
        new("pg-payload", "kaiju-postgresql", "payload", "--stages 20 --characters 102400 --tasks 2", 1),
        new("pg-empty", "kaiju-postgresql", "throughput", "--bulk 20000 --warm 5000"),
        new("pg-200k", "kaiju-postgresql", "throughput", "--bulk 20000 --warm 5000 --backlog 200000"),
        new("pg-1m", "kaiju-postgresql", "throughput", "--bulk 20000 --warm 5000 --backlog 1000000", 1),
        new("pg-held", "kaiju-postgresql", "held", "--bulk 20000 --warm 5000 --held 200000"),
        new("pg-idle", "kaiju-postgresql", "idle", "--seconds 20", 1),
        new("pg-waiters", "kaiju-postgresql", "waiters", "--tasks 200", 1),
        new("sqlite-limit", "limit-sqlite", "throughput", "--create1 500 --create8 2000 --bulk 30000"),
        new(
            "sqlite",
            "kaiju-sqlite",
            "throughput",
            "--create1 500 --create8 2000 --create64 5000 --bulk 30000 --warm 5000"),
        new("sqlite-quartz", "quartz-sqlite", "throughput", "--create1 200 --create8 200 --bulk 600 --warm 50"),
        new("sqlite-16", "kaiju-sqlite", "throughput", "--bulk 10000 --warm 3000 --capacity 16", 1),
        new("sqlite-held", "kaiju-sqlite", "held", "--bulk 20000 --warm 5000 --held 200000"),
        new("sqlite-4", "kaiju-sqlite", "throughput", "--stages 4 --bulk 10000 --warm 3000", 1),
        new("memory", "kaiju-memory", "throughput", "--create1 10000 --bulk 200000 --warm 50000"),
        new("memory-quartz", "quartz-memory", "throughput", "--create1 10000 --bulk 40000 --warm 10000"),
        new("memory-hangfire", "hangfire-memory", "throughput", "--create1 20000 --warm 2000"),
        new("memory-4", "kaiju-memory", "throughput", "--stages 4 --bulk 50000 --warm 20000", 1),
        new("memory-20", "kaiju-memory", "throughput", "--stages 20 --bulk 10000 --warm 5000", 1),
    ];

    private static double Wal(Results results, string measurement) =>
        results.Median(measurement, "create8_wal") + results.Median(measurement, "drain_wal");
}
