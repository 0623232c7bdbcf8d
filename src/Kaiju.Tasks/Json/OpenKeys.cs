using System.Text;
using System.Text.Json;

namespace Kaiju.Tasks.Json;

/// <summary>
/// The keys of the open objects at a place of a JSON text, to find repeated keys. Few keys without escapes are kept as
/// places in the text; otherwise the keys themselves are kept.
/// </summary>
internal ref struct OpenKeys
{
    private readonly ReadOnlySpan<byte> _utf8;
    private readonly Span<Range> _keys;

    /// <summary>The index of the first key of each open object.</summary>
    private readonly Span<int> _begins;
    private int _keyCount;
    private int _openCount;
    private Stack<HashSet<string>>? _sets;

    /// <summary>Begins without an open object.</summary>
    /// <param name="utf8">The text, from the beginning of the value.</param>
    /// <param name="keys">The memory for the places of keys.</param>
    /// <param name="begins">The memory for the open objects.</param>
    public OpenKeys(ReadOnlySpan<byte> utf8, Span<Range> keys, Span<int> begins)
    {
        _utf8 = utf8;
        _keys = keys;
        _begins = begins;
    }

    /// <summary>Opens an object.</summary>
    public void Open()
    {
        if (_sets is null && _openCount == _begins.Length)
        {
            _sets = Copied();
        }

        if (_sets is not null)
        {
            _sets.Push(NewSet());
            return;
        }

        _begins[_openCount++] = _keyCount;
    }

    /// <summary>Closes the object that was opened last.</summary>
    public void Close()
    {
        if (_sets is not null)
        {
            _sets.Pop();
            return;
        }

        _keyCount = _begins[--_openCount];
    }

    /// <summary>Adds the reader's current key; false if its object already has it.</summary>
    public bool TryAdd(ref Utf8JsonReader reader)
    {
        if (_sets is null && (reader.ValueIsEscaped || _keyCount == _keys.Length))
        {
            _sets = Copied();
        }

        if (_sets is not null)
        {
            return _sets.Peek().Add(reader.GetString()!);
        }

        foreach (var key in _keys[_begins[_openCount - 1].._keyCount])
        {
            if (_utf8[key].SequenceEqual(reader.ValueSpan))
            {
                return false;
            }
        }

        var start = (int)reader.TokenStartIndex + 1;
        _keys[_keyCount++] = start..(start + reader.ValueSpan.Length);
        return true;
    }

    private readonly Stack<HashSet<string>> Copied()
    {
        var sets = new Stack<HashSet<string>>();
        for (var i = 0; i < _openCount; i++)
        {
            var set = NewSet();
            foreach (var key in _keys[_begins[i]..(i + 1 < _openCount ? _begins[i + 1] : _keyCount)])
            {
                set.Add(Encoding.UTF8.GetString(_utf8[key]));
            }

            sets.Push(set);
        }

        return sets;
    }

    private static HashSet<string> NewSet() => new(StringComparer.Ordinal);
}
