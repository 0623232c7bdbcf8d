using System.Globalization;
using System.Numerics;

namespace Kaiju.Tasks.Templates;

/// <summary>A number of Python: an integer of any size, or a double.</summary>
internal readonly struct Number
{
    /// <summary>The largest number of digits of an integer, so that arithmetic stays cheap.</summary>
    public const int LongestInteger = 400;

    public static readonly Number Zero = new(BigInteger.Zero);
    public static readonly Number One = new(BigInteger.One);

    private static readonly BigInteger _bound = BigInteger.Pow(10, LongestInteger);

    public Number(BigInteger integer) => Integer = integer;

    public Number(double value)
    {
        IsFloat = true;
        Float = value;
    }

    public bool IsFloat { get; }

    /// <summary>The value of an integer.</summary>
    public BigInteger Integer { get; }

    /// <summary>The value of a float; infinite for a JSON number such as 1e999.</summary>
    public double Float { get; }

    public bool IsZero => IsFloat ? Float == 0 : Integer.IsZero;

    public bool IsInBounds => IsFloat ? double.IsFinite(Float) : BigInteger.Abs(Integer) < _bound;

    /// <summary>
    /// Reads a JSON number. It is a float if it has a point or an exponent, else an integer. False if the integer is
    /// too long.
    /// </summary>
    public static bool TryRead(string text, out Number number)
    {
        if (text.AsSpan().ContainsAny(".eE"))
        {
            number = new Number(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
            return true;
        }

        var fits = text.AsSpan().TrimStart('-').Length <= LongestInteger;
        number = fits
            ? new Number(BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))
            : Zero;
        return fits;
    }

    public static TemplateException TooLong(Evaluation evaluation) =>
        evaluation.ValueError($"an integer has more than {LongestInteger} digits.");

    public static Number Add(Number left, Number right) => left.IsFloat || right.IsFloat
        ? new Number(left.ToDouble() + right.ToDouble())
        : new Number(left.Integer + right.Integer);

    public static Number Subtract(Number left, Number right) => left.IsFloat || right.IsFloat
        ? new Number(left.ToDouble() - right.ToDouble())
        : new Number(left.Integer - right.Integer);

    /// <summary>Compares by exact value, so that 9007199254740993 is greater than 9007199254740992.0.</summary>
    public static int Compare(Number left, Number right) => (left.IsFloat, right.IsFloat) switch
    {
        (false, false) => left.Integer.CompareTo(right.Integer),
        (true, true) => left.Float == right.Float ? 0 : left.Float.CompareTo(right.Float),
        (false, true) => CompareExactly(left.Integer, right.Float),
        (true, false) => -CompareExactly(right.Integer, left.Float),
    };

    /// <summary>The nearest double; infinite if the integer is too large.</summary>
    public double ToDouble()
    {
        if (IsFloat)
        {
            return Float;
        }

        // Parse the digits, since the cast of a BigInteger does not always round to the nearest double.
        return BigInteger.Abs(Integer) <= long.MaxValue
            ? (long)Integer
            : double.Parse(Integer.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>The spelling in Python and, for a finite number, in JSON.</summary>
    public override string ToString() =>
        IsFloat ? FloatText.Shortest(Float) : Integer.ToString(CultureInfo.InvariantCulture);

    private static int CompareExactly(BigInteger integer, double value)
    {
        if (!double.IsFinite(value))
        {
            return value > 0 ? -1 : 1;
        }

        var whole = Math.Truncate(value);
        var order = integer.CompareTo(new BigInteger(whole));
        return order != 0 ? order : whole.CompareTo(value);
    }
}
