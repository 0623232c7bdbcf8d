namespace Kaiju.Tasks.Tests;

/// <summary>
/// Tests that bound real time. They run alone, since tests beside them would distort the measurement.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
