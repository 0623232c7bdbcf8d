using Microsoft.Extensions.DependencyInjection;

namespace Kaiju.Tasks.Engine;

/// <summary>The services of a stage. The scope is opened on first use, since many stages use no services.</summary>
internal sealed class StageScope(IServiceScopeFactory scopes) : IKeyedServiceProvider, IAsyncDisposable
{
    private IServiceScope? _scope;
    private volatile bool _isOver;

    private IServiceProvider Services
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isOver, typeof(IServiceProvider));
            return (_scope ?? Open()).ServiceProvider;
        }
    }

    public object? GetService(Type serviceType)
    {
        ObjectDisposedException.ThrowIf(_isOver, typeof(IServiceProvider));
        return serviceType == typeof(IServiceProvider) ? this : Services.GetService(serviceType);
    }

    // A container without keyed services throws its own exception.
    public object? GetKeyedService(Type serviceType, object? serviceKey) =>
        serviceKey is null ? GetService(serviceType) : Services.GetKeyedService(serviceType, serviceKey);

    public object GetRequiredKeyedService(Type serviceType, object? serviceKey) =>
        serviceKey is null
            ? this.GetRequiredService(serviceType)
            : Services.GetRequiredKeyedService(serviceType, serviceKey);

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

    // A handler may ask on several threads at once; the second scope is not needed.
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
