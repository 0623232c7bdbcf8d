using System.Text;
using System.Text.Json;

namespace Kaiju.Tasks.Wire;

/// <summary>
/// The members of a stored object that only a later version knows. They are written back as they were read, behind the
/// others. See docs/decisions/0018.
/// </summary>
internal sealed class UnknownMembers
{
    private readonly List<JsonProperty> _members;

    private UnknownMembers(List<JsonProperty> members) => _members = members;

    /// <summary>The members of an object that are not among the known ones; null if there are none.</summary>
    /// <param name="json">The object.</param>
    /// <param name="known">The names of the known members.</param>
    public static UnknownMembers? Find(JsonElement json, byte[][] known)
    {
        List<JsonProperty>? members = null;
        foreach (var member in json.EnumerateObject())
        {
            if (!IsKnown(member, known))
            {
                (members ??= []).Add(member);
            }
        }

        return members is null ? null : new UnknownMembers(members);
    }

    /// <summary>The names of all members of an object.</summary>
    public static byte[][] NamesOf(string json) =>
        [.. JsonElement.Parse(json).EnumerateObject().Select(member => Encoding.UTF8.GetBytes(member.Name))];

    public void WriteTo(Utf8JsonWriter writer)
    {
        foreach (var member in _members)
        {
            WireText.WriteRaw(writer, member.Name, member.Value);
        }
    }

    private static bool IsKnown(JsonProperty member, byte[][] known)
    {
        foreach (var name in known)
        {
            if (member.NameEquals(name))
            {
                return true;
            }
        }

        return false;
    }
}
