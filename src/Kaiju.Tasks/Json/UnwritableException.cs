using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>A value of the caller cannot be written as JSON; the message names its place.</summary>
/// <param name="fault">The message for the caller: the place, the value, and the allowed values.</param>
/// <param name="shape">
/// The message for errors that are stored: without the value and without texts of the caller.
/// </param>
/// <param name="inner">The exception that writing the value threw.</param>
internal sealed class UnwritableException(string fault, string shape, Exception inner) : JsonException(fault, inner)
{
    public string Fault => Message;

    public string Shape => shape;

    /// <summary>Returns the exception with a prefix before its place.</summary>
    public UnwritableException Within(string whole) => new($"{whole}.{Message}", $"{whole}.{shape}", InnerException!);
}
