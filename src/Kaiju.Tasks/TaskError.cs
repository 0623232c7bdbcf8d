using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Wire;

namespace Kaiju.Tasks;

/// <summary>The values of <see cref="TaskError.Kind"/> that this library writes.</summary>
public static class TaskErrorKind
{
    /// <summary>A command's handler threw.</summary>
    public const string Handler = "handler";

    /// <summary>A template of the command failed.</summary>
    public const string Template = "template";

    /// <summary>The command's condition could not be evaluated.</summary>
    public const string Condition = "condition";

    /// <summary>The params, with their templates filled, do not fit the handler or the special command.</summary>
    public const string Params = "params";

    /// <summary>
    /// The handler's result cannot be stored: it is not JSON, too large, nested too deeply, or has invalid text.
    /// </summary>
    public const string Result = "result";

    /// <summary>The executor's host has not registered a handler for the command's method.</summary>
    public const string UnknownCommand = "unknown_command";

    /// <summary>The stage ran longer than its <see cref="TaskCommand.MaxTimeout"/>.</summary>
    public const string StageTimeout = "stage_timeout";

    /// <summary>The run missed its deadline (<see cref="TaskDefinition.MaxExecTimeout"/>).</summary>
    public const string Timeout = "timeout";

    /// <summary>No message arrived within the wait's timeout.</summary>
    public const string MessageTimeout = "message_timeout";

    /// <summary>The run was cancelled through <see cref="ITaskClient.CancelAsync"/>.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>
    /// Too many executors died while they ran the task (<see cref="KaijuTasksOptions.MaxInterruptions"/>). It is not
    /// retried, so that it cannot kill more of them.
    /// </summary>
    public const string Interrupted = "interrupted";

    /// <summary>
    /// The manager cannot read a periodic task's schedule, or the schedule's next occurrence is not later than the
    /// last. The task does not run until it is reset or gets another schedule.
    /// </summary>
    public const string Schedule = "schedule";

    /// <summary>An error that another program has stored, such as the Python original.</summary>
    public const string Other = "other";
}

/// <summary>
/// The error of a failed stage or run: its kind, the exception's type, a message for humans, details (a stack trace),
/// and data for programs. An error that is larger than <see cref="TaskLimits.MaxErrorBytes"/> is cut, so that it can
/// always be stored.
/// </summary>
[JsonConverter(typeof(TaskJsonConverter))]
public sealed class TaskError
{
    private static readonly JsonWriterOptions _writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private TaskError(
        string kind, string? type, string message, string? details, JsonElement data, JsonElement json)
    {
        Kind = kind;
        Type = type;
        Message = message;
        Details = details;
        Data = data;
        Json = json;
    }

    /// <summary>
    /// The kind, for programs: a constant of <see cref="TaskErrorKind"/>, or the kind that a special command of the
    /// host has set.
    /// </summary>
    public string Kind { get; }

    /// <summary>
    /// The exception's type name, or <see cref="StageFailedException.Type"/>; null if there was no exception.
    /// </summary>
    public string? Type { get; }

    /// <summary>The message, for humans.</summary>
    public string Message { get; }

    /// <summary>Details, such as a stack trace; null if there are none.</summary>
    public string? Details { get; }

    /// <summary>
    /// Data for programs, as the handler gave it (<see cref="StageFailedException.Data"/>); undefined if there is none.
    /// </summary>
    public JsonElement Data { get; }

    /// <summary>
    /// The stored form: an object with <c>kind</c>, <c>type</c>, <c>message</c>, <c>details</c> and <c>data</c>. An
    /// error that another program has stored is kept as it is.
    /// </summary>
    public JsonElement Json { get; }

    /// <summary>
    /// Makes an error. If it is too large, first its details are cut, then its message. Data that does not fit beside
    /// an empty message is left out.
    /// </summary>
    /// <param name="kind">The kind, for programs; cut to 64 characters.</param>
    /// <param name="message">The message, for humans.</param>
    /// <param name="type">The exception's type name; cut to 256 characters. Default: null, for none.</param>
    /// <param name="details">Details, such as a stack trace. Default: null, for none.</param>
    /// <param name="maxBytes">The largest size of the JSON form, in bytes: 512 or more. Default 8 KiB.</param>
    /// <param name="data">Data for programs, JSON that can be stored. Default: undefined, for none.</param>
    public static TaskError Create(
        string kind,
        string message,
        string? type = null,
        string? details = null,
        int maxBytes = 8 * 1024,
        JsonElement data = default)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(message);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 512);
        kind = StorableText.Of(Cut(kind, 64));
        type = type is null ? null : StorableText.Of(Cut(type, 256));
        message = StorableText.Of(Cut(message, maxBytes));
        details = details is null ? null : StorableText.Of(Cut(details, maxBytes));

        data = Fits(data, kind, type, maxBytes) ? JsonText.Owned(data) : default;
        var json = Write(kind, type, message, details, data);
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

            json = Write(kind, type, message, details, data);
        }

        return new TaskError(kind, type, message, details, data, JsonElement.Parse(json));
    }

    /// <summary>
    /// Reads a stored error of any shape. Without a <c>message</c>, the message is the text of the JSON; without a
    /// <c>kind</c>, the kind is <see cref="TaskErrorKind.Other"/>.
    /// </summary>
    /// <param name="json">The stored error: any JSON value.</param>
    /// <exception cref="ArgumentException">The element is undefined.</exception>
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
                default,
                json);
        }

        return new TaskError(
            Text(json, "kind") ?? TaskErrorKind.Other,
            Text(json, "type"),
            Text(json, "message") ?? json.GetRawText(),
            Text(json, "details"),
            json.TryGetProperty("data", out var data) ? data : default,
            json);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind}: {Message}";

    /// <summary>True if the data fits into an error without a message.</summary>
    internal static bool Fits(JsonElement data, string kind, string? type, int maxBytes) =>
        data.ValueKind == JsonValueKind.Undefined || Write(kind, type, "", null, data).Length <= maxBytes;

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

        // Do not cut through a surrogate pair.
        return length > 0 && char.IsHighSurrogate(text[length - 1]) ? text[..(length - 1)] : text[..length];
    }

    private static byte[] Write(string kind, string? type, string message, string? details, JsonElement data)
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

            if (data.ValueKind != JsonValueKind.Undefined)
            {
                WireText.WriteRaw(writer, "data", data);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
