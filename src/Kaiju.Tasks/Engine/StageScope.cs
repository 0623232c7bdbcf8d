using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Engine;

/// <summary>A stage's services: a scope that is opened when something is asked of it, since many stages ask for nothing.</summary>
internal sealed class StageScope(IServiceScopeFactory scopes) : IServiceProvider, IAsyncDisposable
{
    private IServiceScope? _scope;
    private volatile bool _isOver;

    public object? GetService(Type serviceType)
    {
        ObjectDisposedException.ThrowIf(_isOver, typeof(IServiceProvider));
        return serviceType == typeof(IServiceProvider) ? this : (_scope ?? Open()).ServiceProvider.GetService(serviceType);
    }

    public ValueTask DisposeAsync()
    {
        _isOver = true;
        switch (_scope)
        {
            case IAsyncDisposable scope:
                return scope.DisposeAsync();
            default:
                _scope?.Dispose();
                return default;
        }
    }

    // A handler may ask from several threads at once; the scope that comes second is not needed.
    private IServiceScope Open()
    {
        var opened = scopes.CreateScope();
        if (Interlocked.CompareExchange(ref _scope, opened, null) is not { } other)
        {
            return opened;
        }

        opened.Dispose();
        return other;
    }
}
