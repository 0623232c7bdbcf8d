using System.Text.Json.Serialization;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>What was done with one task that was to be created.</summary>
[JsonConverter(typeof(TaskJsonConverter))]
public enum CreateResult
{
    /// <summary>It is new and stored.</summary>
    Created = 0,

    /// <summary>Its id was known and the stored task was left alone, as asked.</summary>
    Skipped = 1,

    /// <summary>Its id was known and its definition is stored in the place of the other.</summary>
    Replaced = 2,

    /// <summary>Its id was known and nothing was done.</summary>
    Refused = 3,

    /// <summary>Its definition cannot be run or stored, and nothing was done.</summary>
    Invalid = 4,
}
