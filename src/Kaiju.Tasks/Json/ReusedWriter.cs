using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>A JSON writer with its buffer, for repeated use by one thread at a time.</summary>
[SuppressMessage(
    "Design",
    "CA1001:Types that own disposable fields should be disposable",
    Justification = "It lives as long as its thread, and holds only memory.")]
internal sealed class ReusedWriter
{
    private const int Usual = 512;
    private const int Largest = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new(Usual);
    private readonly Utf8JsonWriter _writer;

    public ReusedWriter(JsonWriterOptions options) => _writer = new Utf8JsonWriter(_buffer, options);

    /// <summary>True if the buffer is small enough to be kept.</summary>
    public bool IsSmall => _buffer.Capacity <= Largest;

    /// <summary>Returns the bytes that a function writes; they are valid until the next call.</summary>
    public ReadOnlySpan<byte> Write<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        _buffer.ResetWrittenCount();
        _writer.Reset();
        write(_writer, state);
        _writer.Flush();
        return _buffer.WrittenSpan;
    }
}
