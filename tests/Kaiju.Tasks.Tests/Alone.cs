namespace Kaiju.Tasks.Tests;

/// <summary>Tests that bound real time: what else runs beside them would be measured too.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
