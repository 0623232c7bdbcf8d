using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>The result of creating one task.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum CreateResult
{
    /// <summary>The task is new and was stored.</summary>
    Created = 0,

    /// <summary>
    /// A task with the id exists and was left as it is: because of <see cref="OnConflict.Skip"/>, or because its
    /// version is higher (<see cref="OnConflict.Update"/>).
    /// </summary>
    Skipped = 1,

    /// <summary>A task with the id existed and was replaced (<see cref="OnConflict.Replace"/>).</summary>
    Replaced = 2,

    /// <summary>A task with the id exists, and the creation was refused. Nothing was stored.</summary>
    Refused = 3,

    /// <summary>The definition is invalid. Nothing was stored.</summary>
    Invalid = 4,

    /// <summary>
    /// A task with the id existed and was updated (<see cref="OnConflict.Update"/>). Its commands, kws and app may wait
    /// for its next run (<see cref="TaskRecord.Waiting"/>).
    /// </summary>
    Updated = 5,

    /// <summary>
    /// The newest definition of the stored task is the same (<see cref="OnConflict.Update"/>). Nothing was stored.
    /// </summary>
    Unchanged = 6,
}
