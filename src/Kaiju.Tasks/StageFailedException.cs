using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks;

/// <summary>
/// The exception with which a handler says how its stage failed: for good, or when to retry, with data for programs.
/// Any other exception is retried as the task says. It is also found inside of another exception
/// (<see cref="Exception.InnerException"/>), unless that has several inner exceptions.
/// </summary>
/// <param name="message">The message of the task's error. Default: null, for a text that names the type.</param>
/// <param name="inner">The cause; its stack trace becomes a part of the error. Default: null, for none.</param>
public sealed class StageFailedException(string? message, Exception? inner = null)
    : KaijuTasksException(message ?? "The stage failed.", inner)
{
    /// <summary>The most characters of <see cref="Type"/>.</summary>
    private const int MaxTypeLength = 256;

    /// <summary>The most nested exceptions that are examined.</summary>
    private const int MostCauses = 32;

    private readonly TimeSpan? _retryAfter;
    private readonly string? _type;
    private readonly JsonInput _data;

    /// <summary>True: the run is not retried, whatever retries are left. Default false.</summary>
    public bool IsFinal { get; init; }

    /// <summary>
    /// The time before the retry, in place of the declared delay: 0 to <see cref="TaskLimits.MaxWait"/>, to which a
    /// longer time is shortened. It does not add a retry. Default: null, for the declared delay.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The time is negative, or longer than any host allows (36,600 days).
    /// </exception>
    public TimeSpan? RetryAfter
    {
        get => _retryAfter;
        init
        {
            ThrowIfNoDelay(value, nameof(RetryAfter));
            _retryAfter = value;
        }
    }

    /// <summary>
    /// The <see cref="TaskError.Type"/> of the error, such as <c>card_declined</c>, by which programs tell failures
    /// apart: 1 to 256 characters. Default: null, for the name of the exception's type.
    /// </summary>
    /// <exception cref="ArgumentException">The type is blank or too long.</exception>
    public string? Type
    {
        get => _type;
        init
        {
            if (value is not null && (string.IsNullOrWhiteSpace(value) || value.Length > MaxTypeLength))
            {
                throw new ArgumentException(
                    $"Type is {JsonText.Quote(value)} with {value.Length} characters; it must have 1 to "
                        + $"{MaxTypeLength}, not all of them blank.",
                    nameof(value));
            }

            _type = value;
        }
    }

    /// <summary>
    /// The <see cref="TaskError.Data"/> of the error: JSON, or an object that is written with
    /// <see cref="KaijuTasksOptions.SerializerOptions"/>. Data that cannot be written, or does not fit into
    /// <see cref="TaskLimits.MaxErrorBytes"/>, is left out with a warning. Default: null, for none. It is not the
    /// dictionary of <see cref="Exception.Data"/>.
    /// </summary>
    public new object? Data
    {
        get => _data.Given;
        [RequiresUnreferencedCode(TrimmingNotice.Message)]
        [RequiresDynamicCode(TrimmingNotice.Message)]
        init => _data = JsonInput.Of(value);
    }

    /// <summary><see cref="Data"/> as JSON; undefined if it is null or a .NET object.</summary>
    public JsonElement DataJson
    {
        get => _data.Json;
        init => _data = new JsonInput(value);
    }

    /// <summary>The input of <see cref="Data"/>.</summary>
    internal JsonInput DataInput => _data;

    /// <summary>Returns the exception of this type, also if others wrap it; null if there is none.</summary>
    internal static StageFailedException? Find(Exception thrown)
    {
        var cause = thrown;
        for (var depth = 0; cause is not null && depth < MostCauses; depth++)
        {
            if (cause is StageFailedException found)
            {
                return found;
            }

            cause = cause is AggregateException { InnerExceptions.Count: not 1 } ? null : cause.InnerException;
        }

        return null;
    }

    internal static void ThrowIfNoDelay(TimeSpan? delay, string name)
    {
        if (delay < TimeSpan.Zero || delay > TaskLimits.LongestWait)
        {
            throw new ArgumentOutOfRangeException(
                name, delay, $"{name} is {delay}; it must be from 0 to {TaskLimits.LongestWait}.");
        }
    }
}
