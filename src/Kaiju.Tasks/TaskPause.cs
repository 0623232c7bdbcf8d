using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>
/// A pause of an app or of a method: executors begin none of its tasks until it is resumed or its time is over. With
/// both <see cref="AppName"/> and <see cref="Method"/>, it is a pause of the method in that app alone.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskPause
{
    /// <summary>The longest <see cref="Reason"/>: 1,000 characters.</summary>
    public const int MaxReasonLength = 1_000;

    /// <summary>The app. Default: null, for all apps; then <see cref="Method"/> is needed.</summary>
    public string? AppName { get; init; }

    /// <summary>
    /// The method of the stages that do not begin. Default: null, for all; then <see cref="AppName"/> is needed.
    /// </summary>
    public string? Method { get; init; }

    /// <summary>
    /// The reason, for people, of at most <see cref="MaxReasonLength"/> characters. Default: null, for none.
    /// </summary>
    public string? Reason { get; init; }

    /// <summary>
    /// The end of the pause, by the store's clock. Default: null, for a pause that only a resume ends.
    /// </summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The time at which the pause was stored. The store sets it.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>The caller that paused, if it is known. The store sets it.</summary>
    public string? Actor { get; init; }

    /// <summary>The pause as a store keeps it.</summary>
    internal TaskPause Stored(DateTimeOffset since, string? actor) => new()
    {
        AppName = AppName,
        Method = Method,
        Reason = Reason,
        Until = Until,
        Since = since,
        Actor = actor,
    };

    /// <summary>True while the pause is in force.</summary>
    internal bool IsInForce(DateTimeOffset now) => !(Until <= now);

    /// <summary>True if the other pause has the same app and method.</summary>
    internal bool IsOfSame(string? appName, string? method) => AppName == appName && Method == method;
}
