namespace Kaiju.Tasks.Tests.Simulation;

/// <summary>
/// The program of an executor's process. Version 2 has lost a command of version 1 and has a new one. Neighbours differ
/// in a command as well, whatever their version.
/// </summary>
/// <param name="Version">1 before the deployment, 2 after it.</param>
/// <param name="Place">The number of the process among the executors.</param>
internal sealed record ProgramVersion(int Version, int Place)
{
    /// <summary>A method that is filled with a command of the executor that fills it.</summary>
    public const string Own = "[executor.own]";

    /// <summary>A method that is filled with a command of the neighbours: no executor ever runs it.</summary>
    public const string Other = "[executor.other]";

    /// <summary>A method that is filled with the command that only version 2 knows.</summary>
    public const string Next = "[executor.next]";

    private static readonly string[] _pair = [SimulatedCommands.Even, SimulatedCommands.Odd];

    /// <summary>The commands of the program, without special ones.</summary>
    public IReadOnlyList<string> Commands { get; } =
    [
        SimulatedCommands.Work,
        SimulatedCommands.Bounded,
        Version == 1 ? SimulatedCommands.Removed : SimulatedCommands.Added,
        _pair[Place % 2],
    ];

    /// <summary>The data for templates.</summary>
    public IReadOnlyDictionary<string, string> Data { get; } = new Dictionary<string, string>
    {
        ["own"] = _pair[Place % 2],
        ["other"] = _pair[(Place + 1) % 2],
        ["next"] = SimulatedCommands.Added,
    };

    /// <summary>True if the program knows the method, also that of a special command.</summary>
    public bool Knows(string method) =>
        Commands.Contains(method) || method is TimerCommand.MethodName or MessageCommand.MethodName;

    /// <summary>The method of a command as this program fills it.</summary>
    public string Fill(string method) => method switch
    {
        Own => Data["own"],
        Other => Data["other"],
        Next => Data["next"],
        _ => method,
    };
}
