using Kaiju.Tasks.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>The loggers of adapters, behind the guard that the core's own loggers stand behind.</summary>
internal static class StoreLogger
{
    public static ILogger<T> Guarded<T>(this ILogger<T> logger) => GuardedLogger.Guarded(logger);
}
