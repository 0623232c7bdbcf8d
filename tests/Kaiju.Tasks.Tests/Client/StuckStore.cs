using System.Reflection;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Tests.Client;

/// <summary>
/// A store that never answers and ignores its tokens. New members of the port are covered automatically.
/// </summary>
public class StuckStore : DispatchProxy
{
    private List<CancellationToken> _tokens = [];

    /// <summary>The tokens of the calls so far.</summary>
    public IReadOnlyList<CancellationToken> Tokens
    {
        get
        {
            lock (_tokens)
            {
                return [.. _tokens];
            }
        }
    }

    public static (ITaskStore Store, StuckStore Stuck) New()
    {
        var store = Create<ITaskStore, StuckStore>();
        return (store, (StuckStore)store);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(ITaskStore.Listen))
        {
            return new MemoryStream();
        }

        if (targetMethod.ReturnType == typeof(ITransactionalCreation))
        {
            var creation = Create<ITransactionalCreation, StuckStore>();
            ((StuckStore)(object)creation)._tokens = _tokens;
            return creation;
        }

        lock (_tokens)
        {
            _tokens.Add((CancellationToken)args![^1]!);
        }

        var type = targetMethod.ReturnType;
        if (!type.IsGenericType)
        {
            return new ValueTask(new TaskCompletionSource().Task);
        }

        var answer = type.GetGenericArguments()[0];
        var never = Activator.CreateInstance(typeof(TaskCompletionSource<>).MakeGenericType(answer))!;
        return Activator.CreateInstance(type, never.GetType().GetProperty("Task")!.GetValue(never));
    }
}
