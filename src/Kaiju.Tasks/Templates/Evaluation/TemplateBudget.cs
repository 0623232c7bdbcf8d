namespace Kaiju.Tasks.Templates;

/// <summary>The shared limits for the templates and the condition of one command. Not thread-safe.</summary>
/// <remarks>
/// A step is one operator, argument, path part, array element or object member visited, or <see cref="ScanPerStep"/>
/// characters of text read, compared or written. Steps limit the time, output bytes limit the memory.
/// </remarks>
internal sealed class TemplateBudget
{
    public const int DefaultSteps = 100_000;
    public const int DefaultOutputBytes = 1_048_576;
    public const int DefaultDepth = 64;

    /// <summary>The number of characters (or bytes, or moves of a glob) in one step.</summary>
    public const int ScanPerStep = 64;

    // The limit of every recursion: a frame takes a few hundred bytes of a stack of 1 MB.
    private const int DeepestDepth = 256;

    private long _steps;
    private long _scanned;

    public TemplateBudget(
        int maxSteps = DefaultSteps,
        int maxOutputBytes = DefaultOutputBytes,
        int maxDepth = DefaultDepth,
        TemplateSources? sources = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxSteps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxOutputBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxDepth);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxDepth, DeepestDepth);
        MaxSteps = maxSteps;
        MaxOutputBytes = maxOutputBytes;
        MaxDepth = maxDepth;
        Sources = sources ?? TemplateSources.System;
    }

    public int MaxSteps { get; }

    public int MaxOutputBytes { get; }

    /// <summary>The deepest nesting of values and of conditions.</summary>
    public int MaxDepth { get; }

    public TemplateSources Sources { get; }

    public long Steps => _steps + (_scanned / ScanPerStep);

    public long OutputBytes { get; private set; }

    public long OutputLeft => MaxOutputBytes - OutputBytes;

    /// <summary>Takes steps from the budget; false if not enough are left.</summary>
    public bool TryStep(long steps)
    {
        _steps += steps;
        return Steps <= MaxSteps;
    }

    /// <summary>Takes the steps for a number of characters. Fractions of a step are added up.</summary>
    public bool TryScan(long characters)
    {
        _scanned += characters;
        return Steps <= MaxSteps;
    }

    public bool TryOutput(long bytes)
    {
        OutputBytes += bytes;
        return OutputLeft >= 0;
    }
}
