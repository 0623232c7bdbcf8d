using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>A writer with its buffer, to be used again and again by one thread at a time.</summary>
[SuppressMessage(
    "Design",
    "CA1001:Types that own disposable fields should be disposable",
    Justification = "It lives as long as its thread, and holds nothing but memory.")]
internal sealed class ReusedWriter
{
    private const int Usual = 512;
    private const int Largest = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new(Usual);
    private readonly Utf8JsonWriter _writer;

    public ReusedWriter(JsonWriterOptions options) => _writer = new Utf8JsonWriter(_buffer, options);

    /// <summary>Not worth to be kept once it was needed for something large.</summary>
    public bool IsSmall => _buffer.Capacity <= Largest;

    /// <summary>What a function writes; good until the next call.</summary>
    public ReadOnlySpan<byte> Write<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        _buffer.ResetWrittenCount();
        _writer.Reset();
        write(_writer, state);
        _writer.Flush();
        return _buffer.WrittenSpan;
    }
}
