using Kaiju.Tasks.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Relational;

/// <summary>Creates the loggers of adapters, with the same guard against failing loggers as the core's.</summary>
internal static class StoreLogger
{
    public static ILogger<T> Guarded<T>(this ILogger<T> logger) => GuardedLogger.Guarded(logger);
}
