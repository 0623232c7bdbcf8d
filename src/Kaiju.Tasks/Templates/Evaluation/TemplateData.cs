using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>What paths are looked up in.</summary>
internal abstract class TemplateData
{
    /// <summary>Whether it has members, rather than being an array or a scalar.</summary>
    public abstract bool IsObject { get; }

    /// <summary>Looks up one member by its exact name; only for an object.</summary>
    public abstract bool TryGetMember(string name, Evaluation evaluation, out JsonElement member);

    /// <summary>All of it, as the empty path gives it.</summary>
    public abstract JsonElement Whole(Evaluation evaluation);

    /// <summary>Data that is one JSON value.</summary>
    public static TemplateData Of(JsonElement value) => new ElementData(value);

    /// <summary>
    /// The environment of a command: stage results by number, <c>id</c>, <c>kws</c>, <c>executor</c>.
    /// </summary>
    public static TemplateData Environment(IReadOnlyDictionary<string, JsonElement> members) =>
        new EnvironmentData(members);

    private sealed class ElementData(JsonElement value) : TemplateData
    {
        public override bool IsObject => value.ValueKind == JsonValueKind.Object;

        public override bool TryGetMember(string name, Evaluation evaluation, out JsonElement member) =>
            evaluation.TryGetMember(value, name, out member);

        public override JsonElement Whole(Evaluation evaluation) => value;
    }

    private sealed class EnvironmentData(IReadOnlyDictionary<string, JsonElement> members) : TemplateData
    {
        public override bool IsObject => true;

        public override bool TryGetMember(string name, Evaluation evaluation, out JsonElement member)
        {
            evaluation.Step();
            return members.TryGetValue(name, out member);
        }

        // Rarely asked for, so it is put together each time; the room for it is checked against the output.
        public override JsonElement Whole(Evaluation evaluation)
        {
            using var output = JsonOutput.Intermediate(evaluation);
            output.StartObject();
            foreach (var (name, value) in members)
            {
                output.Name(name);
                output.Raw(value);
            }

            output.EndObject();
            return output.ToElement();
        }
    }
}
