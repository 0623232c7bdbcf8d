using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Validation;

/// <summary>The rules for pauses, which every store checks.</summary>
internal static class PauseRules
{
    /// <summary>Refuses a pause that names nothing, or has an invalid name or reason.</summary>
    /// <exception cref="ArgumentException">The pause is invalid.</exception>
    public static void ThrowIfInvalid(TaskPause pause)
    {
        ArgumentNullException.ThrowIfNull(pause);
        ThrowIfInvalid(pause.AppName, pause.Method);
        if (pause.Reason is not { } reason)
        {
            return;
        }

        if (reason.Length > TaskPause.MaxReasonLength)
        {
            throw new ArgumentException(
                $"{nameof(pause.Reason)} has {reason.Length} characters; it must have at most "
                    + $"{TaskPause.MaxReasonLength}.",
                nameof(pause));
        }

        if (StorableText.FindFault(reason) is { } fault)
        {
            throw new ArgumentException($"{nameof(pause.Reason)} {fault}", nameof(pause));
        }
    }

    /// <summary>Refuses a pause or a resume that names nothing, or has an invalid name.</summary>
    /// <exception cref="ArgumentException">A name is missing or invalid.</exception>
    public static void ThrowIfInvalid(string? appName, string? method)
    {
        if (appName is null && method is null)
        {
            throw new ArgumentException(
                $"{nameof(TaskPause.AppName)} and {nameof(TaskPause.Method)} are null; a pause needs at least one of "
                    + "them.",
                nameof(appName));
        }

        if (appName is not null && CommandName.FindFault(appName) is { } faultOfApp)
        {
            throw new ArgumentException($"{nameof(TaskPause.AppName)} {faultOfApp}", nameof(appName));
        }

        if (method is not null && CommandName.FindFault(method) is { } faultOfMethod)
        {
            throw new ArgumentException($"{nameof(TaskPause.Method)} {faultOfMethod}", nameof(method));
        }
    }
}
