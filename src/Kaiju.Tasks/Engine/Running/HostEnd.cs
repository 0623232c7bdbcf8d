using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Tells whether the host is stopping or disposed of. An exception that this causes in a handler is not a failure of
/// its stage, which runs again elsewhere.
/// </summary>
/// <param name="scopes">
/// The host's container. It refuses new scopes as soon as its disposal begins, before any service is disposed of.
/// </param>
/// <param name="lifetime">The host's lifetime events; null for a container without a host.</param>
internal sealed class HostEnd(IServiceScopeFactory scopes, IHostApplicationLifetime? lifetime = null)
{
    /// <summary>The most nested exceptions that are examined.</summary>
    private const int MostCauses = 32;

    private volatile bool _hasBegun;

    /// <summary>True once the host has begun to stop.</summary>
    public bool HasBegun => _hasBegun || lifetime?.ApplicationStopping.IsCancellationRequested == true;

    public void Begin() => _hasBegun = true;

    /// <summary>
    /// True if the host's end caused the exception. While the container is disposed of, every exception counts. During
    /// an orderly stop only cancellations and disposed objects count, because a handler may still fail by itself.
    /// </summary>
    public bool IsCauseOf(Exception e) =>
        IsContainerGone()
        || (HasBegun && CausesOf(e).Any(cause => cause is OperationCanceledException or ObjectDisposedException));

    private bool IsContainerGone()
    {
        try
        {
            scopes.CreateScope().Dispose();
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private static IEnumerable<Exception> CausesOf(Exception e)
    {
        var waiting = new Queue<Exception>([e]);
        for (var i = 0; i < MostCauses && waiting.TryDequeue(out var cause); i++)
        {
            yield return cause;
            foreach (var inner in (cause as AggregateException)?.InnerExceptions ?? [])
            {
                waiting.Enqueue(inner);
            }

            if (cause is not AggregateException && cause.InnerException is { } single)
            {
                waiting.Enqueue(single);
            }
        }
    }
}
