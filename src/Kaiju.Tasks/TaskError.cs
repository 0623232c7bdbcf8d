using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>The kinds of <see cref="TaskError"/> that this library writes.</summary>
public static class TaskErrorKind
{
    /// <summary>A command's handler threw.</summary>
    public const string Handler = "handler";

    /// <summary>A template of the command could not be filled.</summary>
    public const string Template = "template";

    /// <summary>The command's condition could not be evaluated.</summary>
    public const string Condition = "condition";

    /// <summary>The filled params do not fit the handler's parameters, or a special command's.</summary>
    public const string Params = "params";

    /// <summary>
    /// The handler's result is no JSON that may be stored: too large, too deep, or text that no store can hold.
    /// </summary>
    public const string Result = "result";

    /// <summary>No command of that name is registered with the executor.</summary>
    public const string UnknownCommand = "unknown_command";

    /// <summary>The stage ran longer than its command's <c>max_timeout</c>.</summary>
    public const string StageTimeout = "stage_timeout";

    /// <summary>The run missed its execution deadline.</summary>
    public const string Timeout = "timeout";

    /// <summary>No message came in time.</summary>
    public const string MessageTimeout = "message_timeout";

    /// <summary>Cancelled through the client.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>
    /// The executors that ran it died too often; it is parked so that it cannot take down more of them.
    /// </summary>
    public const string Interrupted = "interrupted";

    /// <summary>
    /// A periodic task's schedule cannot be read on the manager's machine, or gives a time that is not later than the
    /// last occurrence; the task rests until it is reset or gets another one.
    /// </summary>
    public const string Schedule = "schedule";

    /// <summary>An error that was stored by something else, such as the Python original.</summary>
    public const string Other = "other";
}

/// <summary>
/// Why a stage or a run failed: a kind to branch on, the exception's type, a message for a person, and details (a stack
/// trace). As JSON it is never longer than <see cref="TaskLimits.MaxErrorBytes"/>, so that a failure can always be
/// written.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskError
{
    private static readonly JsonWriterOptions _writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private TaskError(string kind, string? type, string message, string? details, JsonElement json)
    {
        Kind = kind;
        Type = type;
        Message = message;
        Details = details;
        Json = json;
    }

    /// <summary>One of <see cref="TaskErrorKind"/>, or what a special command of yours names.</summary>
    public string Kind { get; }

    /// <summary>The exception's type name, or null.</summary>
    public string? Type { get; }

    /// <summary>What went wrong, for a person.</summary>
    public string Message { get; }

    /// <summary>More about it, such as a stack trace, or null.</summary>
    public string? Details { get; }

    /// <summary>
    /// The stored form: an object with <c>kind</c>, <c>type</c>, <c>message</c> and <c>details</c>; an error that was
    /// stored by something else is kept as it is.
    /// </summary>
    public JsonElement Json { get; }

    /// <summary>Makes an error and cuts it to <paramref name="maxBytes"/>: details first, then the message.</summary>
    /// <param name="kind">What to branch on.</param>
    /// <param name="message">What went wrong.</param>
    /// <param name="type">The exception's type name.</param>
    /// <param name="details">More about it.</param>
    /// <param name="maxBytes">The bound of the JSON form; default 8 KiB.</param>
    public static TaskError Create(
        string kind, string message, string? type = null, string? details = null, int maxBytes = 8 * 1024)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(message);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 512);
        kind = StorableText.Of(Cut(kind, 64));
        type = type is null ? null : StorableText.Of(Cut(type, 256));
        message = StorableText.Of(Cut(message, maxBytes));
        details = details is null ? null : StorableText.Of(Cut(details, maxBytes));

        var json = Write(kind, type, message, details);
        while (json.Length > maxBytes && (details is not null || message.Length > 0))
        {
            if (details is { Length: > 64 })
            {
                details = Cut(details, details.Length * 3 / 4);
            }
            else if (details is not null)
            {
                details = null;
            }
            else
            {
                message = Cut(message, message.Length * 3 / 4);
            }

            json = Write(kind, type, message, details);
        }

        return new TaskError(kind, type, message, details, JsonElement.Parse(json));
    }

    /// <summary>Reads a stored error of any shape; members that it lacks are made up from what is there.</summary>
    /// <param name="json">Any JSON but null.</param>
    /// <exception cref="ArgumentException">It is undefined.</exception>
    public static TaskError FromJson(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Undefined)
        {
            throw new ArgumentException("json is an undefined JsonElement; it must be a JSON value.", nameof(json));
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            return new TaskError(
                TaskErrorKind.Other,
                null,
                json.ValueKind == JsonValueKind.String ? json.GetString()! : json.GetRawText(),
                null,
                json);
        }

        return new TaskError(
            Text(json, "kind") ?? TaskErrorKind.Other,
            Text(json, "type"),
            Text(json, "message") ?? json.GetRawText(),
            Text(json, "details"),
            json);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind}: {Message}";

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
            ? member.GetString()
            : null;

    private static string Cut(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        // Not through the middle of a surrogate pair.
        return length > 0 && char.IsHighSurrogate(text[length - 1]) ? text[..(length - 1)] : text[..length];
    }

    private static byte[] Write(string kind, string? type, string message, string? details)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, _writing))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", kind);
            if (type is not null)
            {
                writer.WriteString("type", type);
            }

            writer.WriteString("message", message);
            if (details is not null)
            {
                writer.WriteString("details", details);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
