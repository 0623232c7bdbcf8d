using System.Text.Json;

namespace Kaiju.Tasks.Templates;

/// <summary>The data in which paths are looked up.</summary>
internal abstract class TemplateData
{
    /// <summary>True for an object, false for an array or a scalar.</summary>
    public abstract bool IsObject { get; }

    /// <summary>Looks up one member by its exact name. Call it only for an object.</summary>
    public abstract bool TryGetMember(string name, Evaluation evaluation, out JsonElement member);

    /// <summary>The whole data, as the empty path selects it.</summary>
    public abstract JsonElement Whole(Evaluation evaluation);

    /// <summary>Makes data from one JSON value.</summary>
    public static TemplateData Of(JsonElement value) => new ElementData(value);

    /// <summary>
    /// Makes the environment of a command: stage results by number, <c>id</c>, <c>kws</c>, <c>executor</c>.
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

        // Rarely used, so it is built each time. Its size is checked against the output limit.
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
