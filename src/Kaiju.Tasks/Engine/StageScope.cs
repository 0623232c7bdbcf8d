using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Engine;

/// <summary>A stage's services: a scope that is opened when something is asked of it, since many stages ask for nothing.</summary>
internal sealed class StageScope(IServiceScopeFactory scopes) : IServiceProvider, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private AsyncServiceScope? _scope;
    private bool _isOver;

    public object? GetService(Type serviceType)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isOver, typeof(IServiceProvider));
            _scope ??= scopes.CreateAsyncScope();
        }

        return serviceType == typeof(IServiceProvider) ? this : _scope.Value.ServiceProvider.GetService(serviceType);
    }

    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _isOver = true;
        }

        return _scope?.DisposeAsync() ?? default;
    }
}
