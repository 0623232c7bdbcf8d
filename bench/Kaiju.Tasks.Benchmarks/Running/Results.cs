namespace Kaiju.Tasks.Benchmarks.Running;

/// <summary>The results: for each measurement and figure, one value for each repetition.</summary>
internal sealed class Results
{
    private readonly Dictionary<string, Dictionary<string, List<double>>> _values = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Dictionary<string, List<double>>> Values => _values;

    public void Add(string measurement, IReadOnlyDictionary<string, double> figures)
    {
        if (!_values.TryGetValue(measurement, out var known))
        {
            _values.Add(measurement, known = new Dictionary<string, List<double>>(StringComparer.Ordinal));
        }

        foreach (var (figure, value) in figures)
        {
            if (!known.TryGetValue(figure, out var values))
            {
                known.Add(figure, values = []);
            }

            values.Add(value);
        }
    }

    public bool Has(string measurement, string figure) =>
        _values.TryGetValue(measurement, out var figures) && figures.ContainsKey(figure);

    public double Median(string measurement, string figure)
    {
        var sorted = _values[measurement][figure].Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
