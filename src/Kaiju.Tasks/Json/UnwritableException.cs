using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>A value of the caller's that cannot be written as JSON, by its place.</summary>
/// <param name="fault">For the caller who gave the value: the place, the value, what is allowed.</param>
/// <param name="shape">The same for what is stored: without the value and without words of the user's code.</param>
/// <param name="inner">What was thrown while it was written.</param>
internal sealed class UnwritableException(string fault, string shape, Exception inner) : JsonException(fault, inner)
{
    public string Fault => Message;

    public string Shape => shape;

    /// <summary>The same with its place seen from a larger whole.</summary>
    public UnwritableException Within(string whole) => new($"{whole}.{Message}", $"{whole}.{shape}", InnerException!);
}
