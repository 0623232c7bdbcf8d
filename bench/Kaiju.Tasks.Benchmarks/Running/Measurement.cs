namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>One thing that is measured.</summary>
/// <param name="Name">What results call it.</param>
/// <param name="Subject">Who is measured.</param>
/// <param name="Probe">What is done with it.</param>
/// <param name="Arguments">How much of it.</param>
internal sealed record Measurement(string Name, string Subject, string Probe, string Arguments);

/// <summary>
/// What is measured in one process, one after the other, on one store of each kind that was empty; most things alone.
/// </summary>
/// <param name="Measurements">All of them.</param>
/// <param name="Repetitions">At most so often; 0 for as often as everything.</param>
internal sealed record Sitting(IReadOnlyList<Measurement> Measurements, int Repetitions = 0)
{
    public Sitting(string name, string subject, string probe, string arguments, int repetitions = 0)
        : this([new Measurement(name, subject, probe, arguments)], repetitions)
    {
    }
}

/// <summary>Two figures of one run, one over the other, and what that is to be.</summary>
/// <param name="Name">What results call it.</param>
/// <param name="Aim">What it is to reach, or not to exceed.</param>
/// <param name="IsMost">The aim is an upper bound.</param>
/// <param name="Of">The value.</param>
/// <param name="Needs">The measurements that it is made of.</param>
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
