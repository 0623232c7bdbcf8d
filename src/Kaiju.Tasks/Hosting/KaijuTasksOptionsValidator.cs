using Kaiju.Tasks.Commands;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Storage;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Hosting;

/// <summary>Validates all options and commands when the host starts, and reports all errors at once.</summary>
internal sealed class KaijuTasksOptionsValidator(
    CommandRegistrations commands,
    SpecialCommandRegistry specials,
    IEnumerable<StageMiddleware> middlewares,
    IEnumerable<StoreRegistration> stores,
    RegisteredServices services)
    : IValidateOptions<KaijuTasksOptions>
{
    public ValidateOptionsResult Validate(string? name, KaijuTasksOptions options)
    {
        var faults = new List<string>();
        CheckNames(options, faults);
        CheckNumbers(options, faults);
        CheckPairs(options, faults);
        CheckLimits(options.Limits, faults);
        CheckStore(options, faults);
        faults.AddRange(commands.FindFaults());
        faults.AddRange(commands.All
            .Where(registration => specials.Find(registration.Method) is not null)
            .Select(
                registration => $"The command \"{registration.Method}\" of {registration.Place} has the name of a "
                    + "special command; choose another."));
        faults.AddRange(specials.FindFaults());
        CheckServices(options, faults);
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    /// <summary>
    /// Checks services only for the host's own roles: a client may register commands that it does not run.
    /// </summary>
    private void CheckServices(KaijuTasksOptions options, List<string> faults)
    {
        if (options.Roles.HasFlag(TaskRoles.Executor) && options.SerializerOptions is { } serializing)
        {
            faults.AddRange(CommandCatalog.FindFaults(commands, new BindingHost(services, serializing)));
            faults.AddRange(
                from type in middlewares.Select(middleware => middleware.Type).Distinct()
                let fault = services.FindFault(type)
                where fault is not null
                select $"The constructor of the middleware {TypeText.Of(type)} {fault}.");
        }

        if (options.Roles.HasFlag(TaskRoles.Manager))
        {
            faults.AddRange(services.FindFaultsOfAll(typeof(INotificationSink))
                .Select(sink => $"The constructor of the notification sink {TypeText.Of(sink.Made)} {sink.Fault}."));
        }
    }

    private void CheckStore(KaijuTasksOptions options, List<string> faults)
    {
        var names = stores.Select(store => store.Name).ToList();
        if (names.Count > 1)
        {
            faults.Add(
                $"The host has {names.Count} stores: {string.Join(" and ", names)}. It must have one; remove the "
                    + "others.");
        }

        if (options.Roles is not (TaskRoles.None or TaskRoles.All)
            && services.IsMadeBy(typeof(ITaskStore), StoreRegistration.InMemory))
        {
            faults.Add(
                $"Roles is {options.Roles} and tasks are kept in memory, where other hosts cannot read them; Roles "
                + "must be All, or the host needs a store that hosts share, such as UseSqlite(…) or UsePostgreSql(…).");
        }
    }

    private static void CheckNames(KaijuTasksOptions options, List<string> faults)
    {
        foreach (var app in options.ExecutorApps.Prepend(options.AppName))
        {
            if (string.IsNullOrEmpty(app) || app.Length > TaskLimits.MaxNameLength || app.Any(char.IsControl))
            {
                faults.Add(
                    $"AppName or ExecutorApps has {JsonText.Quote(app ?? "")}; an app must have 1 to "
                        + $"{TaskLimits.MaxNameLength} characters, none of them a control character.");
            }
        }

        if ((options.Roles & ~TaskRoles.All) != 0 || options.Roles == TaskRoles.None)
        {
            faults.Add($"Roles is {options.Roles}; it must be one or more of Client, Manager, Executor.");
        }

        if (!Enum.IsDefined(options.MissedRuns))
        {
            faults.Add($"MissedRuns is {(int)options.MissedRuns}; it must be RunOnce, RunLatest or Skip.");
        }

        if (!Enum.IsDefined(options.UnknownCommands))
        {
            faults.Add($"UnknownCommands is {(int)options.UnknownCommands}; it must be Wait or Fail.");
        }

        if (options.SerializerOptions is null)
        {
            faults.Add("SerializerOptions is null; it must be set, or left at its default.");
        }

        if (options.RetryDelay is null)
        {
            faults.Add("RetryDelay is null; it must be set, to RetryDelay.None for no delay.");
        }
    }

    private static void CheckNumbers(KaijuTasksOptions options, List<string> faults)
    {
        Range(nameof(options.Capacity), options.Capacity, 1, 10_000, faults);
        Range(nameof(options.MaxInterruptions), options.MaxInterruptions, 1, 1_000, faults);
        Range(nameof(options.MaxMissedPings), options.MaxMissedPings, 2, 100, faults);
        Range(nameof(options.ManagerBatch), options.ManagerBatch, 1, 100_000, faults);
        Range(nameof(options.KeptRuns), options.KeptRuns, 0, 1_000, faults);
        Range(nameof(options.DefaultMaxRetries), options.DefaultMaxRetries, 0, options.Limits?.MaxRetries ?? 0, faults);
        Range(nameof(options.MaxClaimBytes), options.MaxClaimBytes, 1, long.MaxValue, faults);
        Range(
            nameof(options.PingInterval), options.PingInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), faults);
        Range(
            nameof(options.ClaimCheckInterval),
            options.ClaimCheckInterval,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromMinutes(1),
            faults);
        Range(
            nameof(options.PollInterval),
            options.PollInterval,
            TimeSpan.FromMilliseconds(10),
            TimeSpan.FromMinutes(10),
            faults);
        Range(
            nameof(options.MaxFaultDelay),
            options.MaxFaultDelay,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromMinutes(10),
            faults);
        Range(
            nameof(options.ClientTimeout),
            options.ClientTimeout,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromHours(1),
            faults);
        Range(nameof(options.StopTimeout), options.StopTimeout, TimeSpan.Zero, TimeSpan.FromHours(1), faults);
        Range(
            nameof(options.StopCancelTimeout), options.StopCancelTimeout, TimeSpan.Zero, TimeSpan.FromHours(1), faults);
        Range(nameof(options.AbortGrace), options.AbortGrace, TimeSpan.Zero, TimeSpan.FromHours(1), faults);
        Range(
            nameof(options.MissedRunTolerance),
            options.MissedRunTolerance,
            TimeSpan.Zero,
            TimeSpan.FromDays(1),
            faults);
        Range(
            nameof(options.DeleteEndedAfter),
            options.DeleteEndedAfter ?? TimeSpan.FromDays(1),
            TimeSpan.FromMinutes(1),
            TimeSpan.FromDays(36_600),
            faults);
        Range(
            nameof(options.DeleteFailedAfter),
            options.DeleteFailedAfter ?? TimeSpan.FromDays(1),
            TimeSpan.FromMinutes(1),
            TimeSpan.FromDays(36_600),
            faults);
        Range(
            nameof(options.DeleteNotificationsAfter),
            options.DeleteNotificationsAfter ?? TimeSpan.FromDays(1),
            TimeSpan.FromMinutes(1),
            TimeSpan.FromDays(36_600),
            faults);
        Range(
            nameof(options.SuspendedLifetime),
            options.SuspendedLifetime ?? TimeSpan.FromDays(1),
            TimeSpan.FromTicks(1),
            TimeSpan.FromDays(36_600),
            faults);
    }

    /// <summary>Checks options that are within their bounds but contradict each other.</summary>
    private static void CheckPairs(KaijuTasksOptions options, List<string> faults)
    {
        // Only for options within their own bounds: the others are already reported.
        var lifetime = options.PingInterval <= TimeSpan.FromHours(1) && options.MaxMissedPings <= 100
            ? options.PingInterval * options.MaxMissedPings
            : TimeSpan.Zero;
        if (lifetime > TimeSpan.Zero && options.ClaimCheckInterval >= lifetime)
        {
            faults.Add(
                $"ClaimCheckInterval is {options.ClaimCheckInterval} and an executor's lifetime is {lifetime} "
                + $"(PingInterval {options.PingInterval} × MaxMissedPings {options.MaxMissedPings}); "
                + "the interval must be shorter, or an executor is found dead before it asks for lost claims.");
        }

        if (options.SuspendedLifetime is { } suspended && suspended > TimeSpan.Zero && suspended < options.PollInterval)
        {
            faults.Add(
                $"SuspendedLifetime is {suspended} and PollInterval is {options.PollInterval}; the lifetime must not "
                + "be shorter, or tasks are aborted before a manager can queue them.");
        }
    }

    private static void CheckLimits(TaskLimits? limits, List<string> faults)
    {
        if (limits is null)
        {
            faults.Add("Limits is null; it must be set, or left at its default.");
            return;
        }

        Range("Limits.MaxStages", limits.MaxStages, 1, 10_000, faults);
        Range("Limits.MaxRetries", limits.MaxRetries, 0, TaskLimits.MostRetries, faults);
        Range("Limits.MaxIdLength", limits.MaxIdLength, 1, 200, faults);
        Range("Limits.MaxParamsBytes", limits.MaxParamsBytes, 2, int.MaxValue, faults);
        Range("Limits.MaxResultBytes", limits.MaxResultBytes, 4, int.MaxValue, faults);
        Range("Limits.MaxKwsBytes", limits.MaxKwsBytes, 2, int.MaxValue, faults);
        Range("Limits.MaxDefinitionBytes", limits.MaxDefinitionBytes, 2, int.MaxValue, faults);
        Range("Limits.MaxErrorBytes", limits.MaxErrorBytes, 512, 1024 * 1024, faults);
        Range("Limits.MaxJsonDepth", limits.MaxJsonDepth, 1, 64, faults);
        Range("Limits.MaxTemplateSteps", limits.MaxTemplateSteps, 1, int.MaxValue, faults);
        Range("Limits.MinExecTimeout", limits.MinExecTimeout, TimeSpan.FromTicks(1), limits.DefaultExecTimeout, faults);
        Range("Limits.MaxExecTimeout", limits.MaxExecTimeout, limits.DefaultExecTimeout, TimeSpan.FromDays(49), faults);
        Range("Limits.MaxWait", limits.MaxWait, TimeSpan.FromTicks(1), TaskLimits.LongestWait, faults);
    }

    private static void Range<T>(string option, T value, T least, T most, List<string> faults)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            faults.Add($"{option} is {value}; it must be from {least} to {most}.");
        }
    }
}
