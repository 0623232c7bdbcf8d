using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kaiju.Tasks.Storage;

namespace Kaiju.Tasks.Contracts.Model;

/// <summary>The store and the model differ.</summary>
internal sealed class ModelDifferenceException(string message) : Exception(message);

/// <summary>
/// Compares the values of the model and of the store: by member where a record contains more than plain values, and
/// quickly where they are equal.
/// </summary>
internal static class Difference
{
    [DoesNotReturn]
    public static void Fail(string message) => throw new ModelDifferenceException(message);

    public static void Check<T>(string what, T model, T store)
    {
        if (!EqualityComparer<T>.Default.Equals(model, store))
        {
            Fail($"{what}: {Show(model)} in the model, {Show(store)} in the store.");
        }
    }

    public static void CheckList<T>(string what, IReadOnlyList<T> model, IReadOnlyList<T> store)
    {
        if (!model.SequenceEqual(store))
        {
            Fail($"{what}: [{string.Join(", ", model)}] in the model, [{string.Join(", ", store)}] in the store.");
        }
    }

    public static void CheckTask(string what, TaskRecord? model, TaskRecord? store)
    {
        Check($"{what} is there", model is not null, store is not null);
        if (model is null || store is null)
        {
            return;
        }

        CheckDefinition(what, model.Definition, store.Definition);
        if (model.Managed with { Error = null } != store.Managed with { Error = null })
        {
            CheckMembers(what, model.Managed, store.Managed);
        }

        CheckError(what, model.Managed.Error, store.Managed.Error);
        Check($"{what}, created", model.Created, store.Created);
        Check($"{what}, revision", model.Revision, store.Revision);
        Check($"{what}, version", model.Version, store.Version);
        Check($"{what}, waiting", model.Waiting?.ToJson(), store.Waiting?.ToJson());
        CheckResults(what, model.Result, store.Result);
    }

    public static void CheckRun(string what, TaskRun? model, TaskRun? store)
    {
        Check($"{what} is kept", model is not null, store is not null);
        if (model is not null && store is not null)
        {
            CheckJson(what, Json.Of(JsonSerializer.Serialize(model)), Json.Of(JsonSerializer.Serialize(store)));
            CheckResults(what, model.Result, store.Result);
        }
    }

    public static void CheckStages(string what, IReadOnlyList<StageEntry> model, IReadOnlyList<StageEntry> store)
    {
        Check($"{what}, the number of stages in its history", model.Count, store.Count);
        foreach (var (entry, stored) in model.Zip(store))
        {
            CheckJson(what, Json.Of(JsonSerializer.Serialize(entry)), Json.Of(JsonSerializer.Serialize(stored)));

            // The wire form has no claim.
            Check($"{what}, the claim of its history at stage {entry.Stage}", entry.Claim, stored.Claim);
        }
    }

    public static void CheckNotification(string what, TaskNotification model, TaskNotification store)
    {
        CheckJson(what, Json.Of(model.ToJson()), Json.Of(store.ToJson()));
        CheckResults(what, model.Result, store.Result);
    }

    public static void CheckClaim(ExecutorTask model, ExecutorTask store)
    {
        var what = $"the claimed task {model.Id}";
        var stored = JsonNode.Parse(store.ToJson())!.AsObject();
        stored.Remove("store_key");
        CheckJson(what, Json.Of(model.ToJson()), Json.Of(stored.ToJsonString()));
        CheckResults(what, model.Result, store.Result);
    }

    private static void CheckJson(string what, JsonElement model, JsonElement store)
    {
        if (!JsonElement.DeepEquals(model, store))
        {
            Fail($"{what}: {model.GetRawText()} in the model, {store.GetRawText()} in the store.");
        }
    }

    private static void CheckDefinition(string what, TaskDefinition model, TaskDefinition store)
    {
        if (!ReferenceEquals(model, store) && !JsonElement.DeepEquals(Json.Of(model.ToJson()), Json.Of(store.ToJson())))
        {
            Fail($"{what}: the definition is {model.ToJson()} in the model, {store.ToJson()} in the store.");
        }
    }

    private static void CheckError(string what, TaskError? model, TaskError? store)
    {
        if (!ReferenceEquals(model, store) && (model is null || store is null
            || !JsonElement.DeepEquals(model.Json, store.Json)))
        {
            Fail($"{what}: the error is {Show(model?.Json)} in the model, {Show(store?.Json)} in the store.");
        }
    }

    private static void CheckResults(string what, IReadOnlyList<JsonElement> model, IReadOnlyList<JsonElement> store)
    {
        if (model.Count != store.Count
            || !model.Zip(store).All(pair => JsonElement.DeepEquals(pair.First, pair.Second)))
        {
            Fail(
                $"{what}: the results are [{string.Join(", ", model.Texts())}] in the model, "
                    + $"[{string.Join(", ", store.Texts())}] in the store.");
        }
    }

    private static void CheckMembers(string what, ManagedState model, ManagedState store)
    {
        var members = typeof(ManagedState).GetProperties()
            .Where(member => member.Name != nameof(ManagedState.Error))
            .Select(member => (member.Name, Model: member.GetValue(model), Store: member.GetValue(store)))
            .Where(member => !Equals(member.Model, member.Store))
            .Select(member => $"{member.Name} is {Show(member.Model)} in the model, {Show(member.Store)} in the store");
        Fail($"{what}: {string.Join("; ", members)}.");
    }

    private static string Show(object? value) => value switch
    {
        null => "null",
        DateTimeOffset time => $"start + {time - ModelDefinitions.Start}",
        JsonElement json => json.GetRawText(),
        _ => value.ToString() ?? "",
    };
}
