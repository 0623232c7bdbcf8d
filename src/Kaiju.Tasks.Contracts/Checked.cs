using Kaiju.Tasks.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Contracts;

/// <summary>Fills in and checks definitions as a host does before it calls a store.</summary>
internal static class Checked
{
    private static readonly TaskDefinitionChecker _checker = New();

    public static TaskDefinition Definition(TaskDefinition definition) => _checker.Prepare(definition);

    public static TaskRecord Import(TaskRecord task) => _checker.PrepareImport(task);

    private static TaskDefinitionChecker New()
    {
        var services = new ServiceCollection();
        services.AddKaijuTasks();
        return services.BuildServiceProvider().GetRequiredService<TaskDefinitionChecker>();
    }
}
