using System.Diagnostics.CodeAnalysis;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Reads and writes a property by its name, including properties that are init-only. A row is read column by column
/// into objects that nothing else refers to yet; a copy for each column would cost more than the row.
/// </summary>
internal sealed class Member<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOwner, T>
    where TOwner : class
{
    private readonly Func<TOwner, T> _get;
    private readonly Action<TOwner, T> _set;

    public Member(string name)
    {
        var property = typeof(TOwner).GetProperty(name)!;
        _get = property.GetMethod!.CreateDelegate<Func<TOwner, T>>();
        _set = property.SetMethod!.CreateDelegate<Action<TOwner, T>>();
    }

    public T Get(TOwner owner) => _get(owner);

    public void Set(TOwner owner, T value) => _set(owner, value);
}
