namespace Kaiju.Tasks.Benchmarks.Subjects;

/// <summary>The reports of handlers: the start of a job and its time.</summary>
internal static class Meter
{
    private static long[] _starts = [];
    private static int _executed;

    public static int Executing => Volatile.Read(ref _executed);

    public static void Reset(int jobs)
    {
        _starts = new long[jobs];
        Volatile.Write(ref _executed, 0);
    }

    public static void Hit(int job)
    {
        var now = TimeProvider.System.GetTimestamp();
        if ((uint)job < (uint)_starts.Length && _starts[job] == 0)
        {
            _starts[job] = now;
        }

        Interlocked.Increment(ref _executed);
    }

    public static long StartOf(int job) => Volatile.Read(ref _starts[job]);
}
