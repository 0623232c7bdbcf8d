using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kaiju.Tasks.Engine;

/// <summary>
/// Whether the host is going away. What a handler meets because of that is not a failure of its own: its stage runs
/// again elsewhere.
/// </summary>
/// <param name="scopes">The host's container. It refuses new scopes from the first moment of its disposal on, before
/// any service is disposed of.</param>
/// <param name="lifetime">The host's own word that it stops; none where a container runs without a host.</param>
internal sealed class HostEnd(IServiceScopeFactory scopes, IHostApplicationLifetime? lifetime = null)
{
    /// <summary>More causes than this are not looked at.</summary>
    private const int MostCauses = 32;

    private volatile bool _hasBegun;

    /// <summary>The host has begun to stop.</summary>
    public bool HasBegun => _hasBegun || lifetime?.ApplicationStopping.IsCancellationRequested == true;

    public void Begin() => _hasBegun = true;

    /// <summary>
    /// True if the host's end is behind what was thrown. In a container that is being disposed of nothing can be
    /// trusted any more. While the host stops in good order a handler may still fail by itself; a cancellation, or
    /// something that is disposed of, comes from the stop.
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
