using System.Linq.Expressions;
using System.Reflection;

namespace Kaiju.Tasks.Contracts;

/// <summary>Copies of data that is not a record.</summary>
internal static class Copies
{
    private static readonly MethodInfo _clone =
        typeof(object).GetMethod(nameof(MemberwiseClone), BindingFlags.Instance | BindingFlags.NonPublic)!;

    /// <summary>Returns a copy with one member changed.</summary>
    /// <param name="data">The data, which stays as it is.</param>
    /// <param name="member">The member, a property with an <c>init</c> accessor.</param>
    /// <param name="value">The member's value in the copy.</param>
    public static T With<T, TValue>(this T data, Expression<Func<T, TValue>> member, TValue value)
        where T : class
    {
        var copy = (T)_clone.Invoke(data, null)!;
        ((PropertyInfo)((MemberExpression)member.Body).Member).SetValue(copy, value);
        return copy;
    }
}
