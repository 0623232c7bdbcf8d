using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>The result of creating one task.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum CreateResult
{
    /// <summary>The task is new and was stored.</summary>
    Created = 0,

    /// <summary>A task with the id exists and was left as it is (<see cref="OnConflict.Skip"/>).</summary>
    Skipped = 1,

    /// <summary>A task with the id existed and was replaced (<see cref="OnConflict.Replace"/>).</summary>
    Replaced = 2,

    /// <summary>A task with the id exists, and the creation was refused. Nothing was stored.</summary>
    Refused = 3,

    /// <summary>The definition is invalid. Nothing was stored.</summary>
    Invalid = 4,
}
