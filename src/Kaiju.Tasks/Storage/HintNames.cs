namespace Kaiju.Tasks.Storage;

/// <summary>
/// The names (apps, ids of tasks) in a <see cref="StoreHint"/>: a few of them, or any if they are unknown or too many.
/// </summary>
/// <remarks>A single name needs no allocation. More names share one array, to which a longer set appends.</remarks>
public readonly struct HintNames : IEquatable<HintNames>
{
    /// <summary>The most names of a set, 32; with one more the set means any name.</summary>
    public const int Most = 32;

    private const int AnyCount = -1;

    private readonly string? _first;
    private readonly string?[]? _others;
    private readonly int _count;

    private HintNames(string? first, string?[]? others, int count) =>
        (_first, _others, _count) = (first, others, count);

    /// <summary>The set that means any name.</summary>
    public static HintNames Any { get; } = new(null, null, AnyCount);

    /// <summary>True if the names are unknown or too many, so that the set means any name.</summary>
    public bool IsAny => _count == AnyCount;

    /// <summary>The number of names; 0 if <see cref="IsAny"/>.</summary>
    public int Count => Math.Max(0, _count);

    /// <summary>The name at a position.</summary>
    /// <param name="index">The position, 0 to <see cref="Count"/> - 1.</param>
    public string this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return index == 0 ? _first! : _others![index - 1]!;
        }
    }

    /// <summary>True if two sets contain the same names in the same order.</summary>
    public static bool operator ==(HintNames left, HintNames right) => left.Equals(right);

    /// <summary>True if two sets differ.</summary>
    public static bool operator !=(HintNames left, HintNames right) => !left.Equals(right);

    /// <summary>True if the name may be among these: always if <see cref="IsAny"/>.</summary>
    /// <param name="name">The name.</param>
    public bool MayContain(string name) => IsAny || IndexOf(name) >= 0;

    /// <summary>These names and one more.</summary>
    /// <param name="name">The name. Null: it is unknown, and the result means any name.</param>
    public HintNames With(string? name)
    {
        if (IsAny || name is null)
        {
            return Any;
        }

        if (_count == 0)
        {
            return new HintNames(name, null, 1);
        }

        return IndexOf(name) >= 0 ? this : _count == Most ? Any : Append(name);
    }

    /// <summary>The names of both sets.</summary>
    /// <param name="other">The other set.</param>
    public HintNames With(HintNames other)
    {
        if (IsAny || other.IsAny)
        {
            return Any;
        }

        var both = this;
        for (var i = 0; i < other._count; i++)
        {
            both = both.With(other[i]);
        }

        return both;
    }

    /// <inheritdoc/>
    public bool Equals(HintNames other)
    {
        if (_count != other._count)
        {
            return false;
        }

        for (var i = 0; i < _count; i++)
        {
            if (this[i] != other[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is HintNames other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_count, _first);

    /// <inheritdoc/>
    public override string ToString() =>
        IsAny ? "any" : _count == 0 ? "none" : string.Join(", ", Enumerable.Range(0, _count).Select(NameAt));

    private string NameAt(int index) => this[index];

    private int IndexOf(string name)
    {
        for (var i = 0; i < _count; i++)
        {
            if (this[i] == name)
            {
                return i;
            }
        }

        return -1;
    }

    private HintNames Append(string name)
    {
        // The array is shared with shorter sets, which never read beyond their own end. If one of them has already
        // appended, the array is copied.
        var place = _count - 1;
        var others = _others ?? new string?[Most - 1];
        if (Interlocked.CompareExchange(ref others[place], name, null) is not null)
        {
            others = new string?[Most - 1];
            Array.Copy(_others!, others, place);
            others[place] = name;
        }

        return new HintNames(_first, others, _count + 1);
    }
}
