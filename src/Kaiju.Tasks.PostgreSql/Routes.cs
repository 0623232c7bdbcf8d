using Kaiju.Tasks.Relational;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// The apps and methods of a batch of new tasks, each once, so that each hold is looked up once.
/// </summary>
internal sealed class Routes
{
    // Boxed once for all rows of the same app and method, as the statement takes them.
    private readonly Dictionary<(string App, string Method), object> _places = [];

    /// <summary>Notes the app and the method of a row that is queued at once.</summary>
    public void Add(TaskRow row)
    {
        if (row.Queue is not { } route)
        {
            return;
        }

        if (!_places.TryGetValue(route, out var place))
        {
            place = _places.Count + 1;
            _places.Add(route, place);
        }

        row.Route = place;
    }

    /// <summary>The arguments of the statement that creates.</summary>
    public Argument[] Arguments() =>
    [
        Argument.Texts("route_apps", _places.Keys.Select(route => route.App)),
        Argument.Texts("route_methods", _places.Keys.Select(route => route.Method)),
    ];
}
