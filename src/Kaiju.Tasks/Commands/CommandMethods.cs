using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>The methods of a class that are marked as commands.</summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
internal static class CommandMethods
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    /// <summary>
    /// Finds all of them, including private, static and inherited methods. An overridden method is found once, as its
    /// override.
    /// </summary>
    public static IReadOnlyList<(MethodInfo Method, string Place)> Of(Type type)
    {
        var overridden = new HashSet<MethodInfo>();
        var found = new List<MethodInfo>();
        for (var part = type; part is not null; part = part.BaseType)
        {
            foreach (var method in part.GetMethods(Declared).Where(
                method => method.IsDefined(typeof(CommandAttribute), inherit: true)))
            {
                if (!method.IsVirtual || overridden.Add(method.GetBaseDefinition()))
                {
                    found.Add(method);
                }
            }
        }

        var overloads = found.GroupBy(method => (method.DeclaringType, method.Name))
            .ToDictionary(group => group.Key, group => group.Count());
        return [
            .. found.Select(method => (
                method,
                PlaceOf(method, isOverloaded: overloads[(method.DeclaringType, method.Name)] > 1)))];
    }

    private static string PlaceOf(MethodInfo method, bool isOverloaded)
    {
        var parameters = isOverloaded
            ? $"({string.Join(", ", method.GetParameters().Select(parameter => TypeText.Of(parameter.ParameterType)))})"
            : "";
        return $"{TypeText.Of(method.DeclaringType!)}.{method.Name}{parameters}";
    }
}
