using System.Globalization;

namespace Kaiju.Tasks.Faults;

/// <summary>The counts and the faults of a run.</summary>
internal sealed class RunReport(string store, string scenario)
{
    public string Store => store;

    public string Scenario => scenario;

    public int Harms { get; set; }

    public int LostServers { get; set; }

    public TimeSpan LongestRecovery { get; set; }

    public TimeSpan Took { get; set; }

    public int Acknowledged { get; set; }

    public long Stages { get; set; }

    public long Executions { get; set; }

    public long Extra { get; set; }

    public long MostExtra { get; set; }

    public long Interruptions { get; set; }

    public long Suspensions { get; set; }

    public long Refused { get; set; }

    /// <summary>The stages that executors put back because they did not know the command.</summary>
    public long PutBacks { get; set; }

    /// <summary>The most put-backs of one stage.</summary>
    public int MostPutBacks { get; set; }

    /// <summary>The warnings of commands that no executor knows.</summary>
    public int Unknown { get; set; }

    public List<string> Faults { get; } = [];

    public string Line() => string.Create(
        CultureInfo.InvariantCulture,
        $"{store}, {scenario}: {Harms} times in {Took.TotalSeconds:0} s, {Acknowledged} tasks, {Stages} stages, "
            + $"{(Faults.Count == 0 ? "no fault" : $"{Faults.Count} faults")}");

    public static string Table(IEnumerable<RunReport> reports)
    {
        string[][] rows =
        [
            [
            "store", "scenario", "harm", "tasks", "results", "executions", "extra", "at most", "interrupted",
            "suspended", "refused", "put back", "of one", "recovery", "s", "faults",
        ],
            .. reports.Select(report => new[]
            {
                report.Store,
                report.Scenario,
                Number(report.Harms),
                Number(report.Acknowledged),
                Number(report.Stages),
                Number(report.Executions),
                Number(report.Extra),
                Number(report.MostExtra),
                Number(report.Interruptions),
                Number(report.Suspensions),
                Number(report.Refused),
                Number(report.PutBacks),
                Number(report.MostPutBacks),
                report.LongestRecovery == TimeSpan.Zero
                    ? ""
                    : string.Create(CultureInfo.InvariantCulture, $"{report.LongestRecovery.TotalSeconds:0.0} s"),
                string.Create(CultureInfo.InvariantCulture, $"{report.Took.TotalSeconds:0}"),
                Number(report.Faults.Count),
            }),
        ];
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))
            .ToArray();
        return string.Join(
            Environment.NewLine,
            rows.Select(
                row => string.Join(
                    "  ",
                    row.Select(
                        (cell, column) => column < 2 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column])))));
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
