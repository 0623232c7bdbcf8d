namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>One measurement.</summary>
/// <param name="Name">The name in results.</param>
/// <param name="Subject">The measured engine or limit.</param>
/// <param name="Probe">The probe.</param>
/// <param name="Arguments">The arguments of the probe.</param>
internal sealed record Measurement(string Name, string Subject, string Probe, string Arguments);

/// <summary>
/// The measurements of one process, one after another, on one store of each kind that was empty at the start. Most
/// measurements run alone.
/// </summary>
/// <param name="Measurements">The measurements.</param>
/// <param name="Repetitions">The largest number of repetitions; 0 for the usual number.</param>
internal sealed record Sitting(IReadOnlyList<Measurement> Measurements, int Repetitions = 0)
{
    public Sitting(string name, string subject, string probe, string arguments, int repetitions = 0)
        : this([new Measurement(name, subject, probe, arguments)], repetitions)
    {
    }
}

/// <summary>The ratio of two figures of one run, and its aim.</summary>
/// <param name="Name">The name in results.</param>
/// <param name="Aim">The value to reach, or not to exceed.</param>
/// <param name="IsMost">True if the aim is an upper bound.</param>
/// <param name="Of">The value.</param>
/// <param name="Needs">The measurements that the ratio needs.</param>
internal sealed record Ratio(string Name, double Aim, bool IsMost, Func<Results, double> Of, params string[] Needs)
{
    public static Ratio AtLeast(
        double aim, string name, string measurement, string over, string figure, string? overFigure = null) =>
        new(
            name,
            aim,
            false,
            results => results.Median(measurement, figure) / results.Median(over, overFigure ?? figure),
            measurement,
            over);

    public static Ratio AtMost(
        double aim, string name, string measurement, string over, string figure, string? overFigure = null) =>
        AtLeast(aim, name, measurement, over, figure, overFigure) with { IsMost = true };

    /// <summary>A figure by itself.</summary>
    public static Ratio Figure(double aim, bool isMost, string name, string measurement, string figure) =>
        new(name, aim, isMost, results => results.Median(measurement, figure), measurement);

    public bool IsReached(double value) => IsMost ? value <= Aim : value >= Aim;
}
