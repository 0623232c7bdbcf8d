using System.Globalization;

namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>Results for people and for programs.</summary>
internal static class Report
{
    public static string Show(double value) => Math.Abs(value) switch
    {
        >= 1000 => value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.###", CultureInfo.InvariantCulture),
    };
}
