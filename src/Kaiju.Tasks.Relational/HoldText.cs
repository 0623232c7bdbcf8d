namespace Kaiju.Tasks.Relational;

/// <summary>
/// The statement's part that finds the hold of a queued task of the app and the method of <c>p</c>, as
/// <see cref="Lifecycle.TaskRouting.HoldOf"/> decides: the most specific row counts.
/// </summary>
internal static class HoldText
{
    /// <param name="holds">The name of the table.</param>
    public static string Of(string holds) =>
        $"""
        coalesce(
            (select h.hold from {holds} h where h.app = p.app and h.method = p.method),
            (select h.hold from {holds} h where h.app = '' and h.method = p.method),
            (select h.hold from {holds} h where h.app = p.app and h.method = ''), 0)
        """;
}
