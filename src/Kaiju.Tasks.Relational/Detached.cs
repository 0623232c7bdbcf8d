namespace Kaiju.Tasks.Relational;

/// <summary>Starts work without the caller's context: no ambient transaction, no trace, no async locals.</summary>
internal static class Detached
{
    public static Task<T> Run<T>(Func<Task<T>> work)
    {
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(work);
        }
    }

    public static Task Run(Func<Task> work) => Run(async () =>
    {
        await work().ConfigureAwait(false);
        return true;
    });
}
